//! Whether a file has the tables and indexes of `schema.rs`, and nothing else.
//!
//! A trigger, a view, another constraint or an index over an expression can make a change do nothing, or make a table lie, without
//! any error. What is compared is the whole of the schema, so that nobody has to know all such ways.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

use rusqlite::Connection;

use crate::error::{StoreError, StoreResult};
use umpin_core::{Error, ErrorCode};

/// Kind and name.
type Key = (String, String);

/// The table it belongs to and its statement; an index that a constraint makes has none.
type Object = (String, Option<String>);

/// What SQLite writes down about the content for its planner, where somebody asked it to (`ANALYZE`, `PRAGMA optimize`). It decides
/// how fast an answer comes, and not which.
const STATISTICS: &[&str] = &[
    "CREATE TABLE sqlite_stat1(tbl,idx,stat)",
    "CREATE TABLE sqlite_stat4(tbl,idx,neq,nlt,ndlt,sample)",
];

/// Differences that an error names; the rest is counted.
const NAMED: usize = 3;

/// Longest name that an error repeats.
const LONGEST_NAME: usize = 60;

/// Compares the file's schema with ours, inside a read transaction of its own or the caller's, and gives the number that changes
/// whenever the schema does.
pub(super) fn compare(connection: &Connection) -> StoreResult<i64> {
    connection.execute_batch("SAVEPOINT schema_check")?;
    let cookie = cookie(connection)?;
    // What was parsed before this transaction is forgotten: what SQLite uses is then what is compared here.
    connection.execute_batch("PRAGMA writable_schema = RESET")?;
    let (found, roots) = read(connection)?;
    let differences = differences(expected()?, &found);
    connection.execute_batch("RELEASE schema_check")?;
    if !differences.is_empty() {
        return Err(StoreError::Core(refused(connection, &differences)));
    }
    // Two objects in one place would write into each other.
    if roots.len() != roots.iter().collect::<BTreeSet<_>>().len() {
        return Err(StoreError::Damaged("two tables or indexes in the same place"));
    }
    Ok(cookie)
}

/// The number that changes whenever the schema does.
pub(crate) fn cookie(connection: &Connection) -> StoreResult<i64> {
    Ok(connection
        .prepare_cached("PRAGMA schema_version")?
        .query_row([], |r| r.get(0))?)
}

fn expected() -> StoreResult<&'static BTreeMap<Key, Object>> {
    static EXPECTED: OnceLock<BTreeMap<Key, Object>> = OnceLock::new();
    if let Some(expected) = EXPECTED.get() {
        return Ok(expected);
    }
    let connection = Connection::open_in_memory()?;
    connection.execute_batch(super::TABLES)?;
    let (objects, _) = read(&connection)?;
    Ok(EXPECTED.get_or_init(|| objects))
}

fn read(connection: &Connection) -> StoreResult<(BTreeMap<Key, Object>, Vec<i64>)> {
    let mut statement = connection.prepare("SELECT type, name, tbl_name, sql, rootpage FROM main.sqlite_schema")?;
    let mut rows = statement.query([])?;
    let (mut objects, mut roots) = (BTreeMap::new(), Vec::new());
    while let Some(row) = rows.next()? {
        let sql: Option<String> = row.get(3)?;
        if sql.as_deref().is_some_and(|sql| STATISTICS.contains(&sql)) {
            continue;
        }
        let object = (row.get(2)?, sql.as_deref().map(normalised));
        if objects.insert((row.get(0)?, row.get(1)?), object).is_some() {
            return Err(StoreError::Damaged("two tables or indexes of the same name"));
        }
        roots.push(row.get::<_, Option<i64>>(4)?.unwrap_or(0));
    }
    Ok((objects, roots))
}

/// The statement with one space for each run of white space outside quotes: how it is broken into lines means nothing.
fn normalised(sql: &str) -> String {
    let mut text = String::with_capacity(sql.len());
    let mut quote = None;
    for c in sql.trim().chars() {
        match quote {
            None if c.is_ascii_whitespace() => {
                if !text.ends_with(' ') {
                    text.push(' ');
                }
                continue;
            }
            None => {
                quote = match c {
                    '\'' | '"' | '`' => Some(c),
                    '[' => Some(']'),
                    _ => None,
                }
            }
            Some(end) if c == end => quote = None,
            Some(_) => {}
        }
        text.push(c);
    }
    text
}

fn differences(expected: &BTreeMap<Key, Object>, found: &BTreeMap<Key, Object>) -> Vec<String> {
    let mut differences = Vec::new();
    for ((kind, name), (table, _)) in found.iter().filter(|(key, _)| !expected.contains_key(key)) {
        let on = if table == name {
            String::new()
        } else {
            format!(" on \"{}\"", shown(table))
        };
        differences.push(format!("the {} \"{}\"{on} is not its own", shown(kind), shown(name)));
    }
    for (key, object) in expected {
        let (kind, name) = key;
        match found.get(key) {
            None => differences.push(format!("the {kind} \"{name}\" is missing")),
            Some(other) if other != object => {
                differences.push(format!("the {kind} \"{name}\" is not as it was made"));
            }
            Some(_) => {}
        }
    }
    differences
}

/// A name as an error may repeat it: whoever wrote it into the file chose it.
fn shown(name: &str) -> String {
    let short: String = name.chars().take(LONGEST_NAME).collect();
    let more = if short.len() < name.len() { "…" } else { "" };
    format!("{}{more}", short.escape_debug())
}

fn refused(connection: &Connection, differences: &[String]) -> Error {
    let mut text = differences[..differences.len().min(NAMED)].join("; ");
    if let Some(more) = differences.len().checked_sub(NAMED).filter(|more| *more > 0) {
        text = format!("{text}; and {more} more");
    }
    Error::new(
        ErrorCode::StoreCorrupt,
        format!(
            "The directory '{}' does not have the tables that umpin made: {text}.",
            connection.path().unwrap_or_default()
        ),
    )
    .action("Find out who changed the file, then restore it from a backup.")
    .detail("schema", differences.to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_white_space_outside_quotes_means_nothing() {
        let same = ["CREATE TABLE t (a TEXT)", " CREATE  TABLE\n\tt (a\r\nTEXT)\n"];
        assert_eq!(normalised(same[0]), normalised(same[1]));
        for (one, other) in [
            ("replace(a, ' ', '')", "replace(a, '  ', '')"),
            ("\"a b\"", "\"a  b\""),
            ("[a b]", "[a  b]"),
            ("'it''s  b'", "'it''s b'"),
            ("a b", "ab"),
            ("a", "A"),
        ] {
            assert_ne!(normalised(one), normalised(other), "{one} and {other}");
        }
    }

    #[test]
    fn a_long_list_of_differences_is_counted_and_a_hostile_name_is_escaped() {
        let connection = Connection::open_in_memory().expect("memory");
        let many: Vec<String> = (0..5).map(|n| format!("difference {n}")).collect();
        let error = refused(&connection, &many);
        assert!(error.message().contains("difference 2; and 2 more."), "{error}");
        assert_eq!(shown("a\nb\u{1b}[31m"), "a\\nb\\u{1b}[31m");
        assert_eq!(shown(&"x".repeat(100)).chars().count(), LONGEST_NAME + 1);
    }
}
