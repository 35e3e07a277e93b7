//! The help of the staged modules: MAML, from the comment-based help and the parameters of their functions.
//!
//! The staged scripts have no comments, which every session would parse. PowerShell shows this file (`<module>-Help.xml`) as it shows
//! comment-based help: the elements and the white space in them are those that it makes of such a comment itself.

use std::fmt::Write as _;

use anyhow::{Context as _, Result, bail};

const DECLARATION: &str =
    "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<helpItems schema=\"maml\" xmlns=\"http://msh\">\n";
const NAMESPACES: &str = "xmlns:maml=\"http://schemas.microsoft.com/maml/2004/10\" \
    xmlns:command=\"http://schemas.microsoft.com/maml/dev/command/2004/10\" \
    xmlns:dev=\"http://schemas.microsoft.com/maml/dev/2004/10\"";

/// The help file of a module, from the texts of its functions' files, each with the file's name.
pub fn maml(functions: &[(String, String)]) -> Result<String> {
    let mut whole = DECLARATION.to_owned();
    for (file, text) in functions {
        let function = Function::parse(text).with_context(|| file.clone())?;
        function.write(&mut whole).with_context(|| file.clone())?;
    }
    whole.push_str("</helpItems>\n");
    Ok(whole)
}

struct Function<'a> {
    name: &'a str,
    /// Each section of the comment: its keyword, what follows that in the line, and the text.
    sections: Vec<(&'a str, &'a str, String)>,
    parameters: Vec<Parameter>,
}

struct Parameter {
    name: String,
    kind: String,
    mandatory: bool,
    position: Option<u32>,
    pipeline: &'static str,
    default: String,
}

impl<'a> Function<'a> {
    fn parse(text: &'a str) -> Result<Self> {
        let header = text.strip_prefix("function ").context("`function` is not first")?;
        let (name, rest) = header
            .split_once(" {\n    <#\n")
            .context("the help is not first in the function")?;
        let (comment, code) = rest.split_once("\n    #>\n").context("the help does not end")?;
        let mut parameters = parameters(code)?;
        if code.contains("SupportsShouldProcess") {
            parameters.extend(["WhatIf", "Confirm"].map(Parameter::common));
        }
        Ok(Self {
            name,
            sections: sections(comment)?,
            parameters,
        })
    }

    fn of(&self, keyword: &'a str) -> impl Iterator<Item = (&'a str, &str)> {
        let kept = self.sections.iter().filter(move |section| section.0 == keyword);
        kept.map(|(_, argument, text)| (*argument, text.as_str()))
    }

    fn one(&self, keyword: &'a str) -> Result<&str> {
        self.of(keyword)
            .map(|(_, text)| text)
            .next()
            .with_context(|| format!("no .{keyword}"))
    }

    fn write(&self, out: &mut String) -> Result<()> {
        let synopsis = escaped(self.one("SYNOPSIS")?);
        write!(
            out,
            "<command:command {NAMESPACES}>\n<command:details><command:name>{0}</command:name><maml:description><maml:para>{synopsis}\
             </maml:para></maml:description></command:details>\n<command:syntax><command:syntaxItem><maml:name>{0}</maml:name>\n",
            self.name
        )?;
        for parameter in &self.parameters {
            self.write_parameter(out, parameter, true)?;
        }
        out.push_str("</command:syntaxItem></command:syntax>\n<command:parameters>\n");
        for parameter in &self.parameters {
            self.write_parameter(out, parameter, false)?;
        }
        write!(
            out,
            "</command:parameters>\n<maml:description><maml:para>{}</maml:para></maml:description>\n<command:examples>\n",
            escaped(self.one("DESCRIPTION")?)
        )?;
        for (index, (_, text)) in self.of("EXAMPLE").enumerate() {
            let (code, remarks) = text.split_once("\n\n").context("an example without a remark")?;
            writeln!(
                out,
                "<command:example><maml:title>\t\t\t\t-------------------------- EXAMPLE {} --------------------------</maml:title>\
                 <maml:introduction><maml:para>PS &gt; </maml:para></maml:introduction><dev:code>{}</dev:code>\
                 <dev:remarks><maml:para>{}</maml:para><maml:para/><maml:para/><maml:para/><maml:para/></dev:remarks></command:example>",
                index + 1,
                escaped(code),
                escaped(remarks)
            )?;
        }
        write!(
            out,
            "</command:examples>\n<command:inputTypes><command:inputType><dev:type><maml:name>{}</maml:name></dev:type>\
             </command:inputType></command:inputTypes>\n<command:returnValues><command:returnValue><dev:type><maml:name>{}</maml:name>\
             </dev:type></command:returnValue></command:returnValues>\n<maml:relatedLinks>\n",
            escaped(self.one("INPUTS")?),
            escaped(self.one("OUTPUTS")?)
        )?;
        for (_, text) in self.of("LINK") {
            let text = escaped(text.trim());
            writeln!(
                out,
                "<maml:navigationLink><maml:linkText>{text}</maml:linkText></maml:navigationLink>"
            )?;
        }
        out.push_str("</maml:relatedLinks>\n</command:command>\n");
        Ok(())
    }

    fn write_parameter(&self, out: &mut String, parameter: &Parameter, syntax: bool) -> Result<()> {
        let Parameter {
            name,
            kind,
            mandatory,
            pipeline,
            default,
            ..
        } = parameter;
        let position = parameter
            .position
            .map_or("named".to_owned(), |position| (position + 1).to_string());
        write!(
            out,
            "<command:parameter required=\"{mandatory}\" globbing=\"false\" pipelineInput=\"{pipeline}\" position=\"{position}\">\
             <maml:name>{name}</maml:name>"
        )?;
        match self.of("PARAMETER").find(|(argument, _)| argument == name) {
            Some((_, text)) => {
                write!(
                    out,
                    "<maml:description><maml:para>{}</maml:para></maml:description>",
                    escaped(text)
                )?;
            }
            None if parameter.is_common() => {}
            None => bail!("no .PARAMETER {name}"),
        }
        let switch = kind == "SwitchParameter";
        if !(switch && syntax) {
            write!(
                out,
                "<command:parameterValue required=\"{}\">{kind}</command:parameterValue>",
                !switch
            )?;
        }
        if !syntax {
            let default = escaped(default);
            write!(
                out,
                "<dev:type><maml:name>{kind}</maml:name></dev:type><dev:defaultValue>{default}</dev:defaultValue>"
            )?;
        }
        out.push_str("</command:parameter>\n");
        Ok(())
    }
}

impl Parameter {
    fn common(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            kind: "SwitchParameter".to_owned(),
            mandatory: false,
            position: None,
            pipeline: "false",
            default: String::new(),
        }
    }

    fn is_common(&self) -> bool {
        matches!(self.name.as_str(), "WhatIf" | "Confirm")
    }

    /// Its declaration: attributes, the type, the name and perhaps a default.
    fn parse(text: &str) -> Result<Self> {
        let (attributes, declared) = text
            .split_once('$')
            .with_context(|| format!("`{text}` names no parameter"))?;
        // Attributes have parentheses, and stand before or after the type.
        let kind = attributes
            .lines()
            .map(str::trim)
            .rfind(|line| !line.is_empty() && !line.contains(['(', ')']))
            .with_context(|| format!("`{text}` has no type"))?
            .trim_matches(['[', ']']);
        let (name, assigned) = declared
            .split_once(" = ")
            .map_or((declared, None), |(name, value)| (name, Some(value)));
        let parameter = attributes
            .split_once("[Parameter(")
            .map_or("", |(_, rest)| rest.split(")]").next().unwrap_or_default());
        let arguments: Vec<&str> = parameter.split(',').map(str::trim).collect();
        let position = arguments.iter().find_map(|one| one.strip_prefix("Position = "));
        let shown = attributes
            .split_once("[PSDefaultValue(Help = '")
            .and_then(|(_, rest)| rest.split('\'').next());
        let kind = match kind {
            "string" => "String",
            "bool" => "Boolean",
            "int" => "Int32",
            "datetime" => "DateTime",
            "switch" => "SwitchParameter",
            "object" => "Object",
            other => other.rsplit('.').next().unwrap_or(other),
        };
        let default = shown.or(assigned).unwrap_or(match kind {
            "Boolean" | "SwitchParameter" => "False",
            "Int32" => "0",
            _ => "",
        });
        Ok(Self {
            name: name.to_owned(),
            kind: kind.to_owned(),
            mandatory: arguments.contains(&"Mandatory"),
            position: position.map(str::parse).transpose()?,
            pipeline: match (
                arguments.contains(&"ValueFromPipeline"),
                arguments.contains(&"ValueFromPipelineByPropertyName"),
            ) {
                (true, true) => "true (ByValue, ByPropertyName)",
                (true, false) => "true (ByValue)",
                (false, true) => "true (ByPropertyName)",
                (false, false) => "false",
            },
            default: match default {
                "$true" => "True".to_owned(),
                "$false" => "False".to_owned(),
                other => other.trim_matches('\'').to_owned(),
            },
        })
    }
}

/// The parameters of a function: an empty line is between each two.
fn parameters(code: &str) -> Result<Vec<Parameter>> {
    let (_, rest) = code.split_once("\n    param(\n").context("no `param(` in a line")?;
    let (block, _) = rest
        .split_once("\n    )\n")
        .context("`param(` does not end in a line")?;
    let mut parameters: Vec<Parameter> = block
        .split(",\n\n")
        .map(|one| Parameter::parse(one.trim()))
        .collect::<Result<_>>()?;
    // Where none has a position, PowerShell numbers all but the switches.
    if parameters.iter().all(|one| one.position.is_none()) {
        let values = parameters.iter_mut().filter(|one| one.kind != "SwitchParameter");
        for (position, one) in (0..).zip(values) {
            one.position = Some(position);
        }
    }
    Ok(parameters)
}

/// The sections of a comment. Their texts lose its indentation, and end as PowerShell has them end: with the empty line before the next.
fn sections(comment: &str) -> Result<Vec<(&str, &str, String)>> {
    let mut sections: Vec<(&str, &str, String)> = Vec::new();
    for line in comment.lines() {
        let line = line.strip_prefix("    ").unwrap_or(line);
        if let Some(keyword) = line.strip_prefix('.') {
            let (keyword, argument) = keyword.split_once(' ').unwrap_or((keyword, ""));
            if ![
                "SYNOPSIS",
                "DESCRIPTION",
                "PARAMETER",
                "INPUTS",
                "OUTPUTS",
                "EXAMPLE",
                "LINK",
            ]
            .contains(&keyword)
            {
                bail!("`.{keyword}` is not among the sections that help can have");
            }
            sections.push((keyword, argument, String::new()));
        } else if let Some(last) = sections.last_mut() {
            last.2.push_str(line);
            last.2.push('\n');
        } else if !line.is_empty() {
            bail!("`{line}` stands before the first section");
        }
    }
    Ok(sections)
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOURCE: &str = "function Get-X {
    <#
    .SYNOPSIS
    Shows X & <Y>.

    .DESCRIPTION
    Once.

    Twice.

    .PARAMETER All
    Every one.

    .PARAMETER Name
    Its name.

    .INPUTS
    None.

    .OUTPUTS
    System.String

    .EXAMPLE
    Get-X a

    Shows a.

    .LINK
    Get-Y
    #>
    [CmdletBinding(SupportsShouldProcess)]
    param(
        [bool] $All = $true,

        [Parameter(Mandatory, Position = 0, ValueFromPipeline)]
        [UMMailboxPin.Unlimited]
        [UMMailboxPin.Changed()]
        $Name
    )
}
";

    fn of(source: &str) -> Result<String> {
        maml(&[("Get-X.ps1".to_owned(), source.to_owned())])
    }

    #[test]
    fn has_each_section_and_each_parameter_with_its_type_and_default() {
        let help = of(SOURCE).unwrap();
        for part in [
            "<maml:para>Shows X &amp; &lt;Y&gt;.\n\n</maml:para>",
            "<maml:para>Once.\n\nTwice.\n\n</maml:para>",
            "required=\"true\" globbing=\"false\" pipelineInput=\"true (ByValue)\" position=\"1\"><maml:name>Name</maml:name>",
            "<dev:type><maml:name>Unlimited</maml:name></dev:type><dev:defaultValue></dev:defaultValue>",
            "<dev:type><maml:name>Boolean</maml:name></dev:type><dev:defaultValue>True</dev:defaultValue>",
            "<maml:name>WhatIf</maml:name>",
            "<dev:code>Get-X a</dev:code><dev:remarks><maml:para>Shows a.\n\n</maml:para>",
            "<maml:linkText>Get-Y</maml:linkText>",
        ] {
            assert!(help.contains(part), "no {part} in {help}");
        }
    }

    #[test]
    fn numbers_parameters_where_none_has_a_position() {
        let help = of(&SOURCE.replace("Position = 0, ", "")).unwrap();
        for (name, position) in [("All", 1), ("Name", 2)] {
            let part = format!("position=\"{position}\"><maml:name>{name}</maml:name>");
            assert_eq!(help.matches(&part).count(), 2, "no {part} in {help}");
        }
    }

    #[test]
    fn refuses_a_parameter_without_help_and_a_section_that_it_does_not_know() {
        let error = of(&SOURCE.replace(".PARAMETER All", ".PARAMETER Old")).unwrap_err();
        assert!(format!("{error:#}").contains("no .PARAMETER All"), "{error:#}");
        let error = of(&SOURCE.replace(".LINK", ".SEEALSO")).unwrap_err();
        assert!(format!("{error:#}").contains(".SEEALSO"), "{error:#}");
    }
}
