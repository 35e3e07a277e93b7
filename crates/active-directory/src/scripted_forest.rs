//! Servers that know a forest with one mailbox, and otherwise answer as told: what no real server does when it is wanted.

use super::rights::tests::{Ace, descriptor, domain_sid};
use super::scripted::{Act, Authority, Request, Scripted, Signed, root_dse, settings};
use super::server::Tls;
use super::{ActiveDirectory, Server};
use umpin_core::mailbox::ObjectId;

const CONFIGURATION: &str = "CN=Configuration,DC=contoso,DC=com";
const SCHEMA: &str = "CN=Schema,CN=Configuration,DC=contoso,DC=com";
const DOMAIN: &str = "DC=contoso,DC=com";

pub(crate) const RECORD: &str = "msExchUMPinChecksum";
pub(crate) const COUNTER: &str = "extensionAttribute15";

/// The last part of the SID of whoever asks.
pub(crate) const ACCOUNT: u8 = 100;

/// The mailbox's `objectGUID`, the same in every byte order.
pub(crate) const TONY: ObjectId = ObjectId([7; 16]);

/// What is asked about mailboxes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Asked {
    /// Who there is.
    Search,
    /// The next of them.
    Page,
    /// The values of one object.
    Values,
    Modify(Vec<(u64, String, Vec<u8>)>),
}

/// Where the servers are from.
pub(crate) struct Ground {
    authority: Authority,
    signed: Signed,
}

impl Ground {
    pub(crate) fn new() -> Self {
        let authority = Authority::new();
        let signed = authority.sign(&["127.0.0.1"]);
        Self { authority, signed }
    }

    /// A controller that answers what is asked about mailboxes by the script.
    pub(crate) fn controller(&self, script: impl Fn(&Asked) -> Vec<Act> + Send + Sync + 'static) -> Scripted {
        Scripted::start(&self.signed, Tls::Ldaps, move |_, request| {
            if let Some(asked) = asked(request) {
                return Some(script(&asked));
            }
            facts(request)
        })
    }

    pub(crate) fn directory(&self, controllers: &[&Scripted]) -> ActiveDirectory {
        let servers: Vec<Server> = controllers.iter().map(|controller| controller.server()).collect();
        ActiveDirectory::new(settings(&self.authority, &servers))
    }
}

/// What a controller was asked about mailboxes.
pub(crate) fn heard(controller: &Scripted) -> Vec<Asked> {
    controller.all().iter().filter_map(asked).collect()
}

pub(crate) fn named(controller: &Scripted) -> String {
    controller.server().to_string()
}

/// The answer to [`Asked::Search`], with these values in the two attributes.
pub(crate) fn tony(record: Option<&[u8]>, counter: Option<&[u8]>) -> Vec<Act> {
    vec![mailbox(TONY, "Tony Smith", record, counter), Act::Done(0, "")]
}

/// As that, of a mailbox of which the account may read everything.
pub(crate) fn mailbox(id: ObjectId, name: &str, record: Option<&[u8]>, counter: Option<&[u8]>) -> Act {
    guarded(id, name, record, counter, &[Ace(0, 0, 0x10, None, domain_sid(ACCOUNT))])
}

/// With that list of who may do what.
pub(crate) fn guarded(id: ObjectId, name: &str, record: Option<&[u8]>, counter: Option<&[u8]>, aces: &[Ace]) -> Act {
    let mut attributes = vec![
        ("nTSecurityDescriptor", vec![descriptor(&domain_sid(1), aces)]),
        ("objectClass", vec![b"user".to_vec()]),
        ("objectGUID", vec![id.0.to_vec()]),
        ("cn", vec![name.as_bytes().to_vec()]),
        ("mailNickname", vec![b"tony".to_vec()]),
        ("msExchUMEnabledFlags", vec![b"1".to_vec()]),
    ];
    attributes.extend(record.map(|value| (RECORD, vec![value.to_vec()])));
    attributes.extend(counter.map(|value| (COUNTER, vec![value.to_vec()])));
    Act::Entry(format!("CN={name},OU=Sales,{DOMAIN}"), attributes)
}

fn asked(request: &Request) -> Option<Asked> {
    match request {
        Request::Modify { changes, .. } => Some(Asked::Modify(changes.clone())),
        Request::Search { base, .. } if base.starts_with("<GUID=") => Some(Asked::Values),
        Request::Search {
            base, attributes, page, ..
        } if base == DOMAIN && attributes.iter().any(|a| a == RECORD) => {
            Some(if page.is_some() { Asked::Page } else { Asked::Search })
        }
        _ => None,
    }
}

fn facts(request: &Request) -> Option<Vec<Act>> {
    let Request::Search { base, attributes, .. } = request else {
        return None;
    };
    let mut answer = match base.as_str() {
        "" if attributes.iter().any(|name| name == "tokenGroups") => {
            vec![Act::Entry(
                String::new(),
                vec![("tokenGroups", vec![domain_sid(ACCOUNT)])],
            )]
        }
        "" => {
            return Some(root_dse(&[
                ("configurationNamingContext", &[CONFIGURATION]),
                ("schemaNamingContext", &[SCHEMA]),
            ]));
        }
        CONFIGURATION => vec![Act::Entry(
            CONFIGURATION.to_owned(),
            vec![("objectGUID", vec![vec![1; 16]])],
        )],
        SCHEMA => schema(),
        _ => return None,
    };
    answer.push(Act::Done(0, ""));
    Some(answer)
}

fn schema() -> Vec<Act> {
    [
        ("msExchUMEnabledFlags", "2.5.5.9"),
        ("msExchUMTemplateLink", "2.5.5.1"),
        ("msExchUMRecipientTemplate", ""),
        (RECORD, "2.5.5.10"),
        (COUNTER, "2.5.5.12"),
    ]
    .map(|(name, syntax)| {
        let facts = [
            ("lDAPDisplayName", name.as_bytes()),
            ("attributeSyntax", syntax.as_bytes()),
            ("isSingleValued", b"TRUE"),
            ("schemaIDGUID", &[1; 16]),
        ];
        let facts = facts.map(|(fact, value)| (fact, vec![value.to_vec()]));
        Act::Entry(format!("CN={name},{SCHEMA}"), facts.into())
    })
    .into()
}
