//! One script file from many: a module that is shipped dot-sources nothing, and has no comments, which every session would parse.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, bail};

use crate::files;

/// The merged `<name>.psm1`: `Private/*.ps1`, then `Public/*.ps1`, each in ordinal order, then the source `<name>.psm1`.
pub fn merged(source: &Path, name: &str) -> Result<Vec<u8>> {
    let mut parts = scripts(source, "Private")?;
    parts.append(&mut scripts(source, "Public")?);
    let own = format!("{name}.psm1");
    parts.push((own.clone(), read(&source.join(&own))?));
    for (file, text) in &mut parts {
        check(file, text)?;
        *text = without_comments(text).with_context(|| file.clone())?;
    }
    Ok(encoded(&joined(name, &parts)))
}

/// The scripts of a folder of the module, each with its name.
pub fn scripts(source: &Path, folder: &str) -> Result<Vec<(String, String)>> {
    let mut scripts = Vec::new();
    for file in files::below(&source.join(folder))? {
        if file.extension().is_some_and(|extension| extension == "ps1") {
            scripts.push((
                format!("{folder}/{}", shown(&file)),
                read(&source.join(folder).join(&file))?,
            ));
        }
    }
    Ok(scripts)
}

/// A script without its comments and empty lines. Only a comment that has its lines to itself is removed.
fn without_comments(text: &str) -> Result<String> {
    let mut code = String::new();
    let mut in_block = false;
    for line in text.lines() {
        let start = line.trim();
        if line.contains("@'") || line.contains("@\"") {
            bail!("`{start}`: a here-string may have lines that look like comments");
        }
        if (in_block || start.starts_with("<#")) && start.find("#>").is_some_and(|end| end + 2 < start.len()) {
            bail!("`{start}`: code after a block comment on its line");
        }
        let in_comment = in_block || start.starts_with('#') || start.starts_with("<#");
        in_block = (in_block || start.starts_with("<#")) && !start.ends_with("#>");
        if !in_comment && !start.is_empty() {
            code.push_str(line.trim_end());
            code.push('\n');
        }
    }
    Ok(code)
}

fn shown(path: &Path) -> String {
    path.to_string_lossy().replace('\\', "/")
}

fn read(path: &Path) -> Result<String> {
    let bytes = fs::read(path).with_context(|| path.display().to_string())?;
    let text = String::from_utf8(bytes).with_context(|| format!("{} is not UTF-8", path.display()))?;
    Ok(text.trim_start_matches('\u{feff}').replace("\r\n", "\n"))
}

/// What means something else in the middle of a file than at its start.
fn check(file: &str, text: &str) -> Result<()> {
    for (index, line) in text.lines().enumerate() {
        let start = line.to_ascii_lowercase();
        if start.starts_with("using ") || start.starts_with("#requires") || start.starts_with("param(") {
            bail!("{file}, line {}: `{line}` cannot be merged into one file", index + 1);
        }
        if start.starts_with(". ") {
            bail!(
                "{file}, line {}: dot-sourcing does not work in the merged module",
                index + 1
            );
        }
    }
    Ok(())
}

fn joined(name: &str, parts: &[(String, String)]) -> String {
    let mut whole =
        format!("# {name}, merged by `cargo xtask module` from the files of its source folder. Change those.\n");
    for (_, text) in parts {
        whole.push_str(text);
    }
    whole
}

/// Windows PowerShell takes a file without a mark for the system's code page.
fn encoded(text: &str) -> Vec<u8> {
    if text.is_ascii() {
        text.as_bytes().to_vec()
    } else {
        format!("\u{feff}{text}").into_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn private_comes_before_public_before_the_module_itself() {
        let base = files::fresh(&std::env::temp_dir().join(format!("umpin-merge-{}", std::process::id()))).unwrap();
        files::write(&base.join("Public/Get-B.ps1"), b"function Get-B {}\r\n").unwrap();
        files::write(&base.join("Public/Get-A.ps1"), "\u{feff}function Get-A {}".as_bytes()).unwrap();
        files::write(&base.join("Public/notes.txt"), b"not a script").unwrap();
        files::write(&base.join("Private/z.ps1"), b"$script:z = 1").unwrap();
        files::write(&base.join("M.psm1"), b"Export-ModuleMember -Function Get-A, Get-B\n").unwrap();

        let text = String::from_utf8(merged(&base, "M").unwrap()).unwrap();
        let order: Vec<usize> = ["$script:z", "function Get-A", "function Get-B", "Export-ModuleMember"]
            .iter()
            .map(|part| text.find(part).unwrap())
            .collect();
        assert!(order.is_sorted(), "{text}");
        assert!(!text.contains('\u{feff}') && !text.contains('\r') && !text.contains("not a script"));
        fs::remove_dir_all(base).unwrap();
    }

    #[test]
    fn comments_and_empty_lines_are_left_out() {
        let text =
            "function a {\n    <#\n    .SYNOPSIS\n    # x\n    #>\n    # why\n    param($x)\n\n    '# y' # z\n}\n";
        assert_eq!(
            without_comments(text).unwrap(),
            "function a {\n    param($x)\n    '# y' # z\n}\n"
        );
        assert_eq!(without_comments("<# one #>\n$x\n").unwrap(), "$x\n");
        assert!(without_comments("$x = @'\n# no comment\n'@\n").is_err());
    }

    #[test]
    fn other_than_ascii_is_marked_for_windows_powershell() {
        assert_eq!(encoded("a"), b"a");
        assert_eq!(encoded("\u{e4}"), "\u{feff}\u{e4}".as_bytes());
    }

    #[test]
    fn what_only_works_at_the_start_of_a_file_is_refused() {
        for line in [
            "using namespace System",
            "#Requires -Version 7",
            ". $PSScriptRoot/x.ps1",
            "param($x)",
        ] {
            let error = check("Public/X.ps1", &format!("function a {{}}\n{line}\n")).unwrap_err();
            assert!(error.to_string().contains("line 2"), "{error}");
        }
        check("Public/X.ps1", "function a {\n    param($x)\n    . $x\n}\n").unwrap();
    }
}
