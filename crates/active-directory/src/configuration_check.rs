//! The directory's part of the configuration check: servers, certificates, account, clock, rights, the counter's attribute.

use super::ActiveDirectory;
use super::connection::{Connection, Scope, Search};
use super::filter;
use super::lookup::{search_pages, subtree_search};
use super::mailbox_entry::{AttributeValue, counter_attribute};
use super::read_access::{ACCESS_ATTRIBUTES, ADMIN_COUNT};
use super::schema::RECORD;
use super::server_error::{ServerError, ServerErrorKind};
use super::servers::ServerSelector;
use super::servers::probe::ProbedServer;
use super::settings::Bind;
use umpin_core::attributes::mailbox::UM_ENABLED;
use umpin_core::cancellation::Cancellation;
use umpin_core::check::{Check, Subject};
use umpin_core::clock::{Clock as _, SystemClock, Timestamp};
use umpin_core::directory::Found;
use umpin_core::{Error, ErrorCode, Result, certificate};

/// Kerberos rejects a larger clock skew (RFC 4120, 7.5).
const MAX_KERBEROS_SKEW_MS: i64 = 300_000;
/// A larger skew makes the order of audit entries from several hosts doubtful.
const MAX_AUDIT_SKEW_MS: i64 = 30_000;

/// Names shown of mailboxes with a foreign value.
const MAX_NAMES_SHOWN: usize = 3;

/// The attributes of an object that the account may write (MS-ADTS 3.1.1.4.5.24).
const WRITABLE: &str = "allowedAttributesEffective";

impl ActiveDirectory {
    pub(super) fn checks(&self, cancellation: &Cancellation) -> Result<Vec<Check>> {
        let domain = self.servers.settings().domain.clone();
        let mut checks = Vec::new();
        let mut signed_in = None;
        let mut refused = None;
        let mut clock = None;
        match self.servers.probe_controllers(cancellation) {
            Ok(probed) => {
                for one in probed {
                    let name = one.endpoint.server.to_string();
                    match one.connection {
                        Ok(mut connection) => {
                            let kind = if connection.root_dse().is_read_only {
                                ", which is read-only"
                            } else {
                                ""
                            };
                            let source = if one.is_configured { "the configuration" } else { "DNS" };
                            checks.push(Check::passed(
                                Subject::DomainController,
                                &name,
                                format!("{source} names this controller{kind}; it can be reached, holds {domain} and takes the sign-in."),
                            ));
                            checks.push(connection.certificate_check(&name));
                            clock = clock.or_else(|| clock_check(&mut connection, &name));
                            signed_in.get_or_insert(name);
                        }
                        Err(failure) => {
                            checks.extend(unreachable_checks(Subject::DomainController, &name, &failure));
                            if is_about_account(&failure) {
                                refused.get_or_insert(failure.error);
                            }
                        }
                    }
                }
            }
            Err(error) if error.code() == ErrorCode::Cancelled => return Err(error),
            Err(error) => checks.push(Check::failed(Subject::DomainController, &domain, &error)),
        }
        checks.push(self.account_check(signed_in.as_deref(), refused.as_ref()));
        checks
            .push(clock.unwrap_or_else(|| Check::skipped(Subject::Clock, &domain, "No controller returned its time.")));
        if signed_in.is_none() {
            for subject in [Subject::Directory, Subject::GlobalCatalog, Subject::CounterAttribute] {
                checks.push(Check::skipped(subject, &domain, "No controller could be reached."));
            }
            return Ok(checks);
        }
        checks.push(self.forest_check(&domain));
        checks.extend(self.catalog_checks(&domain, cancellation)?);
        checks.push(self.counter_check(&domain, cancellation)?);
        Ok(checks)
    }

    fn forest_check(&self, domain: &str) -> Check {
        match self.forest() {
            Ok(_) => Check::passed(
                Subject::Directory,
                domain,
                format!("The forest has the attributes that are needed; records are kept in {RECORD}."),
            ),
            Err(error) => Check::failed(Subject::Directory, domain, &error),
        }
    }

    /// Global catalogs are used with `-IgnoreDefaultScope` only.
    fn catalog_checks(&self, domain: &str, cancellation: &Cancellation) -> Result<Vec<Check>> {
        let probed = match self.servers.probe_catalogs(cancellation) {
            Ok(probed) => probed,
            Err(error) if error.code() == ErrorCode::Cancelled => return Err(error),
            Err(error) => return Ok(vec![catalog_warning(domain, &error)]),
        };
        let mut checks = Vec::new();
        for ProbedServer {
            endpoint, connection, ..
        } in probed
        {
            let name = endpoint.server.to_string();
            match connection {
                Ok(mut connection) => {
                    checks.push(Check::passed(
                        Subject::GlobalCatalog,
                        &name,
                        "The global catalog can be reached and takes the sign-in.",
                    ));
                    checks.push(connection.certificate_check(&endpoint.to_string()));
                }
                Err(failure) => checks.push(catalog_warning(&name, &failure.error)),
            }
        }
        Ok(checks)
    }

    fn account_check(&self, signed_in: Option<&str>, refused: Option<&Error>) -> Check {
        let name = match &self.servers.settings().bind {
            Bind::Simple { user, .. } => user.clone(),
            Bind::Kerberos => "the Kerberos ticket".to_owned(),
        };
        match (signed_in, refused) {
            (Some(server), _) => Check::passed(
                Subject::Account,
                name,
                format!("{} signs in to {server}.", self.account()),
            ),
            (None, Some(error)) => Check::failed(Subject::Account, name, error),
            (None, None) => Check::skipped(Subject::Account, name, "No controller could be reached."),
        }
    }

    /// Counts the users with a value in the counter's attribute, by the values' origin.
    fn counter_check(&self, domain: &str, cancellation: &Cancellation) -> Result<Check> {
        let attribute = self.servers.settings().counter_attribute.clone();
        let forest = match self.forest() {
            Ok(forest) => forest,
            Err(error) => return Ok(Check::skipped(Subject::CounterAttribute, attribute, error.message())),
        };
        let schema = &forest.schema;
        let (mut ours, mut in_the_way, mut others) = (0_u64, 0_u64, 0_u64);
        let mut shown: Vec<String> = Vec::new();
        let filter = filter::users_with(&schema.counter);
        let attributes = [schema.counter.as_str(), "msExchUMEnabledFlags"];
        let counted = self
            .servers
            .execute(ServerSelector::DomainController(domain), |connection| {
                (ours, in_the_way, others) = (0, 0, 0);
                shown.clear();
                let base = connection.root_dse().domain.clone();
                search_pages(connection, &subtree_search(&base, &filter, &attributes), |page| {
                    for entry in page {
                        match counter_attribute(&entry, schema) {
                            AttributeValue::Absent => {}
                            AttributeValue::Sealed(_) => ours += 1,
                            AttributeValue::Foreign(_) if is_um_enabled(&entry) => {
                                in_the_way += 1;
                                if shown.len() < MAX_NAMES_SHOWN {
                                    shown.push(format!("\"{}\"", entry.dn));
                                }
                            }
                            AttributeValue::Foreign(_) => others += 1,
                        }
                    }
                    cancellation.check().is_ok()
                })
            });
        cancellation.check()?;
        if let Err(failure) = counted {
            return Ok(Check::failed(Subject::CounterAttribute, attribute, &failure.into()));
        }
        let counters = format!("{ours} counters of failed sign-ins are in {attribute}");
        let other = "Name an attribute that nothing else uses in 'directory.counterAttribute', and grant the rights for it; or remove the values.";
        Ok(if in_the_way > 0 {
            Check::failing(
                Subject::CounterAttribute,
                &attribute,
                format!(
                    "{counters}, and {in_the_way} mailboxes with Unified Messaging hold values of another application there, such as {}; {others} other users do. The PINs of these mailboxes cannot be reset or checked.",
                    shown.join(", ")
                ),
                other,
            )
        } else if others > 0 {
            Check::warning(
                Subject::CounterAttribute,
                &attribute,
                format!(
                    "{counters}, and {others} users without Unified Messaging hold values of another application there."
                ),
                other,
            )
        } else {
            Check::passed(
                Subject::CounterAttribute,
                &attribute,
                format!("{counters}, and no value of another application that the account can see."),
            )
        })
    }

    /// Checks the account's rights on this mailbox.
    pub(super) fn mailbox_checks(&self, found: &Found) -> Vec<Check> {
        let name = found.mailbox.identity();
        let id = found.mailbox.object_id;
        let controller = found.controller.as_deref();
        let mut checks = vec![match self.read_credential(id, controller) {
            Ok(_) => Check::passed(
                Subject::ReadRights,
                &name,
                format!(
                    "The account reads {RECORD} and {} of this mailbox.",
                    self.servers.settings().counter_attribute
                ),
            ),
            Err(error) => Check::failed(Subject::ReadRights, &name, &error),
        }];
        checks.push(match self.missing_write_rights(found) {
            Ok((lacking, _)) if lacking.is_empty() => Check::passed(
                Subject::WriteRights,
                &name,
                format!("The account may write {RECORD} and {} of this mailbox.", self.servers.settings().counter_attribute),
            ),
            Ok((lacking, is_protected)) => {
                let lacking = lacking.join(" and ");
                let mut check = Check::failing(
                    Subject::WriteRights,
                    &name,
                    format!("{} may not write {lacking} of this mailbox.", self.account()),
                    if is_protected {
                        "Grant the rights at CN=AdminSDHolder, as docs/active-directory.md shows: the mailbox belongs to an administrator (adminCount is 1)."
                    } else {
                        "Grant the account Write Property on these attributes at the organizational unit, as docs/active-directory.md shows."
                    },
                );
                check.error_id = Some(ErrorCode::AccessDenied.id());
                check
            }
            Err(error) => Check::failed(Subject::WriteRights, &name, &error),
        });
        checks
    }

    fn missing_write_rights(&self, found: &Found) -> Result<(Vec<String>, bool)> {
        let forest = self.forest()?;
        let mut attributes = vec![WRITABLE];
        attributes.extend(ACCESS_ATTRIBUTES);
        let base = format!("<GUID={}>", found.mailbox.guid);
        let selector = match &found.controller {
            Some(controller) => ServerSelector::Recorded(controller),
            None => ServerSelector::DomainController(&self.servers.settings().domain),
        };
        let answer = self.servers.execute(selector, |connection| {
            connection.search(&Search {
                base: &base,
                scope: Scope::Base,
                filter: "(objectClass=*)",
                attributes: &attributes,
                size_limit: 1,
            })
        })?;
        let entry = answer.entries.first().ok_or_else(super::lookup::mailbox_missing)?;
        let may = |name: &str| {
            entry
                .values(&WRITABLE.to_ascii_lowercase())
                .any(|value| value.eq_ignore_ascii_case(name.as_bytes()))
        };
        let lacking = [RECORD, forest.schema.counter.as_str()]
            .into_iter()
            .filter(|name| !may(name))
            .map(str::to_owned)
            .collect();
        let is_protected = entry.first(&ADMIN_COUNT.to_ascii_lowercase()) == Some(b"1");
        Ok((lacking, is_protected))
    }
}

impl Connection {
    fn certificate_check(&mut self, name: &str) -> Check {
        certificate::examine(self.peer_certificate().as_deref(), name, SystemClock.now())
    }
}

/// The checks of a server that could not be used; a certificate error fails the certificate check as well.
fn unreachable_checks(subject: Subject, name: &str, failure: &ServerError) -> Vec<Check> {
    let mut checks = vec![Check::failed(subject, name, &failure.error)];
    if failure.error.message().contains("certificate") {
        checks.push(Check::failed(Subject::Certificate, name, &failure.error));
    } else {
        checks.push(Check::skipped(
            Subject::Certificate,
            name,
            "The certificate was not checked, because there is no connection to the server.",
        ));
    }
    checks
}

/// Whether another account or password would help.
fn is_about_account(failure: &ServerError) -> bool {
    let error = &failure.error;
    failure.kind == ServerErrorKind::Fatal
        && (error.code() == ErrorCode::AccessDenied || error.message().contains("password"))
}

fn catalog_warning(name: &str, error: &Error) -> Check {
    let mut check = Check::warning(
        Subject::GlobalCatalog,
        name,
        format!(
            "{} Only commands with -IgnoreDefaultScope need the global catalog.",
            error.message()
        ),
        error.recommended_action(),
    );
    check.error_id = Some(error.code().id());
    check
}

fn is_um_enabled(entry: &super::connection::Entry) -> bool {
    let flags = entry.text("msExchUMEnabledFlags").ok();
    flags
        .and_then(|text| text.trim().parse::<i64>().ok())
        .is_some_and(|flags| flags & i64::from(UM_ENABLED) != 0)
}

/// Compares the clock with the controller's `currentTime`, corrected by half the round-trip time.
fn clock_check(connection: &mut Connection, name: &str) -> Option<Check> {
    let asked = SystemClock.now();
    let answer = connection
        .search(&Search {
            base: "",
            scope: Scope::Base,
            filter: "(objectClass=*)",
            attributes: &["currentTime"],
            size_limit: 1,
        })
        .ok()?;
    let answered = SystemClock.now();
    let theirs = generalized_time(&answer.entries.first()?.text("currentTime").ok()?)?;
    let ours = Timestamp(asked.0 + (answered.0 - asked.0) / 2);
    // `currentTime` is in whole seconds.
    let off = (ours.0 - theirs.0 - 500).saturating_abs().saturating_sub(1000).max(0);
    let seconds = off / 1000;
    let action = "Set this computer's clock by the domain's time service.";
    Some(if off > MAX_KERBEROS_SKEW_MS {
        Check::failing(
            Subject::Clock,
            name,
            format!(
                "This computer's clock and that of {name} differ by {seconds} s: Kerberos fails, and expiry of PINs and messages is wrong."
            ),
            action,
        )
    } else if off > MAX_AUDIT_SKEW_MS {
        Check::warning(
            Subject::Clock,
            name,
            format!("This computer's clock and that of {name} differ by {seconds} s."),
            action,
        )
    } else {
        Check::passed(
            Subject::Clock,
            name,
            format!("This computer's clock agrees with that of {name}."),
        )
    })
}

/// `20261130192341.0Z` (RFC 4517, 3.3.13), in UTC.
fn generalized_time(text: &str) -> Option<Timestamp> {
    let digits = text.get(..14).filter(|_| text.ends_with('Z'))?;
    let format = time::macros::format_description!("[year][month][day][hour][minute][second]");
    let time = time::PrimitiveDateTime::parse(digits, format).ok()?;
    Some(Timestamp(time.assume_utc().unix_timestamp().saturating_mul(1000)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn generalized_time_is_parsed() {
        assert_eq!(
            generalized_time("20260101000000.0Z"),
            Some(Timestamp(1_767_225_600_000))
        );
        for other in ["20260101000000", "2026Z", "", "20261301000000.0Z", "2026010100000éZ"] {
            assert_eq!(generalized_time(other), None, "{other}");
        }
    }
}
