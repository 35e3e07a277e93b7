//! Scripted servers of a forest with one mailbox.

use super::rights::tests::{Ace, descriptor, domain_sid};
use super::scripted::{Action, Authority, Request, ScriptedServer, Signed, root_dse, settings};
use super::server::Tls;
use super::{ActiveDirectory, Server};
use umpin_core::mailbox::ObjectId;

const CONFIGURATION: &str = "CN=Configuration,DC=contoso,DC=com";
const SCHEMA: &str = "CN=Schema,CN=Configuration,DC=contoso,DC=com";
const DOMAIN: &str = "DC=contoso,DC=com";

pub(crate) const RECORD: &str = "msExchUMPinChecksum";
pub(crate) const COUNTER: &str = "extensionAttribute15";

/// The RID of the account.
pub(crate) const ACCOUNT: u8 = 100;

/// The mailbox's `objectGUID`, the same in every byte order.
pub(crate) const TONY: ObjectId = ObjectId([7; 16]);

/// A request about mailboxes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum MailboxRequest {
    /// A search for mailboxes.
    Search,
    /// A paged search.
    Page,
    /// A read of one object.
    AttributeValues,
    Modify(Vec<(u64, String, Vec<u8>)>),
}

/// Creates the servers of the forest.
pub(crate) struct ScriptedForest {
    authority: Authority,
    signed: Signed,
}

impl ScriptedForest {
    pub(crate) fn new() -> Self {
        let authority = Authority::new();
        let signed = authority.sign(&["127.0.0.1"]);
        Self { authority, signed }
    }

    /// A controller that answers requests about mailboxes by the script.
    pub(crate) fn controller(
        &self,
        script: impl Fn(&MailboxRequest) -> Vec<Action> + Send + Sync + 'static,
    ) -> ScriptedServer {
        ScriptedServer::start(&self.signed, Tls::Ldaps, move |_, request| {
            if let Some(mailbox_request) = mailbox_request(request) {
                return Some(script(&mailbox_request));
            }
            forest_response(request)
        })
    }

    pub(crate) fn directory(&self, controllers: &[&ScriptedServer]) -> ActiveDirectory {
        let servers: Vec<Server> = controllers.iter().map(|controller| controller.server()).collect();
        ActiveDirectory::new(settings(&self.authority, &servers))
    }
}

/// The requests about mailboxes that a controller got.
pub(crate) fn mailbox_requests(controller: &ScriptedServer) -> Vec<MailboxRequest> {
    controller.all_requests().iter().filter_map(mailbox_request).collect()
}

pub(crate) fn host_of(controller: &ScriptedServer) -> String {
    controller.server().to_string()
}

/// The response to [`MailboxRequest::Search`], with these values in the two attributes.
pub(crate) fn tony(record: Option<&[u8]>, counter: Option<&[u8]>) -> Vec<Action> {
    vec![mailbox(TONY, "Tony Smith", record, counter), Action::Done(0, "")]
}

/// A mailbox that the account may read.
pub(crate) fn mailbox(id: ObjectId, name: &str, record: Option<&[u8]>, counter: Option<&[u8]>) -> Action {
    mailbox_with_acl(id, name, record, counter, &[Ace(0, 0, 0x10, None, domain_sid(ACCOUNT))])
}

/// A mailbox with this DACL.
pub(crate) fn mailbox_with_acl(
    id: ObjectId,
    name: &str,
    record: Option<&[u8]>,
    counter: Option<&[u8]>,
    aces: &[Ace],
) -> Action {
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
    Action::Entry(format!("CN={name},OU=Sales,{DOMAIN}"), attributes)
}

fn mailbox_request(request: &Request) -> Option<MailboxRequest> {
    match request {
        Request::Modify { changes, .. } => Some(MailboxRequest::Modify(changes.clone())),
        Request::Search { base, .. } if base.starts_with("<GUID=") => Some(MailboxRequest::AttributeValues),
        Request::Search {
            base, attributes, page, ..
        } if base == DOMAIN && attributes.iter().any(|a| a == RECORD) => Some(if page.is_some() {
            MailboxRequest::Page
        } else {
            MailboxRequest::Search
        }),
        _ => None,
    }
}

fn forest_response(request: &Request) -> Option<Vec<Action>> {
    let Request::Search { base, attributes, .. } = request else {
        return None;
    };
    let mut answer = match base.as_str() {
        "" if attributes.iter().any(|name| name == "tokenGroups") => {
            vec![Action::Entry(
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
        CONFIGURATION => vec![Action::Entry(
            CONFIGURATION.to_owned(),
            vec![("objectGUID", vec![vec![1; 16]])],
        )],
        SCHEMA => schema(),
        _ => return None,
    };
    answer.push(Action::Done(0, ""));
    Some(answer)
}

fn schema() -> Vec<Action> {
    [
        ("msExchUMEnabledFlags", "2.5.5.9"),
        ("msExchUMTemplateLink", "2.5.5.1"),
        ("msExchUMRecipientTemplate", ""),
        (RECORD, "2.5.5.10"),
        (COUNTER, "2.5.5.12"),
    ]
    .map(|(name, syntax)| {
        let forest_response = [
            ("lDAPDisplayName", name.as_bytes()),
            ("attributeSyntax", syntax.as_bytes()),
            ("isSingleValued", b"TRUE"),
            ("schemaIDGUID", &[1; 16]),
        ];
        let forest_response = forest_response.map(|(fact, value)| (fact, vec![value.to_vec()]));
        Action::Entry(format!("CN={name},{SCHEMA}"), forest_response.into())
    })
    .into()
}
