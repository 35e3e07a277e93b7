//! From a server's name to a connection that is protected and signed in.

use std::net::SocketAddr;
use std::time::Duration;

use ldap3::{Ldap, LdapConnAsync, LdapConnSettings, LdapError, StdStream};
use tokio::net::{TcpStream, lookup_host};
use tokio::time::{Instant, timeout_at};

use super::Line;
use super::race;
use super::request::{Trouble, search};
use super::root_dse::RootDse;
use crate::admission::Admission;
use crate::failure::{Failure, FailureKind, Step};
use crate::server::{Endpoint, Tls};
use umpin_platform::secret::Secret;
use umpin_platform::tls::Trust;

/// An address that has not taken the connection by then, counted from its turn, does not take it today.
const CONNECT_LIMIT: Duration = Duration::from_secs(5);

/// Who signs in.
pub(crate) enum Credentials {
    Simple { user: String, password: Secret },
    Kerberos,
}

impl Credentials {
    /// What may be wrong with them, and is told from other such: the password, which is never empty, or nothing.
    pub(super) fn secret(&self) -> Secret {
        match self {
            Self::Simple { password, .. } => password.clone(),
            Self::Kerberos => Secret::new(String::new()),
        }
    }
}

/// Why a server has not said what it is.
enum Unsaid {
    /// It answered otherwise.
    Refused(Failure),
    Failed(Failure),
}

/// All that a connection is made from.
pub(crate) struct Dial {
    pub endpoint: Endpoint,
    pub tls: Tls,
    pub trust: Trust,
    pub admission: Admission,
    pub credentials: Credentials,
    pub timeout: Duration,
}

impl Dial {
    /// Connects, protects, signs in; all of it within the timeout. No password is sent before the server has proved its name and said
    /// that it holds what it is asked for.
    pub(super) async fn open(self) -> Result<Line, Failure> {
        let end = Instant::now() + self.timeout;
        let stream = self.connect(end).await?;
        let mut ldap = self.protect(stream, end).await?;
        let early = self.about(&ldap, end).await;
        let early = match early {
            // Some may be told to say nothing before the sign-in.
            Err(Unsaid::Refused(_)) => None,
            Err(Unsaid::Failed(failure)) => return Err(failure),
            Ok(about) => Some(about).filter(|about| !about.domain.is_empty()),
        };
        if let Some(about) = &early {
            self.admission.check(&self.endpoint, about)?;
        }
        match timeout_at(end, self.sign_in(&mut ldap)).await {
            Ok(Ok(())) => {}
            Ok(Err(failure)) => return Err(failure),
            Err(_) => return Err(self.silent_sign_in()),
        }
        if let Some(about) = early {
            return Ok(Line::new(ldap, about));
        }
        match self.about(&ldap, end).await {
            Ok(about) => {
                self.admission.check(&self.endpoint, &about)?;
                Ok(Line::new(ldap, about))
            }
            Err(Unsaid::Refused(failure) | Unsaid::Failed(failure)) => Err(failure),
        }
    }

    async fn about(&self, ldap: &Ldap, end: Instant) -> Result<RootDse, Unsaid> {
        let question = RootDse::question(super::time_limit(self.timeout));
        match timeout_at(end, search(ldap.clone(), question)).await {
            Ok(Ok((answer, _))) => Ok(answer.entries.first().map(RootDse::of).unwrap_or_default()),
            Ok(Err(trouble)) => {
                let is_answer = matches!(trouble, Trouble::Answer(_));
                let failure = Failure::in_operation(&self.endpoint, Step::RootDse, trouble);
                Err(if is_answer {
                    Unsaid::Refused(failure)
                } else {
                    Unsaid::Failed(failure)
                })
            }
            Err(_) => Err(Unsaid::Failed(self.silent(Step::RootDse))),
        }
    }

    fn silent(&self, step: Step) -> Failure {
        Failure::silent(&self.endpoint, step, self.timeout)
    }

    fn silent_sign_in(&self) -> Failure {
        match self.credentials {
            Credentials::Simple { .. } => self.silent(Step::Bind),
            // Which of them it was the library does not say.
            Credentials::Kerberos => self.unreached(&format!(
                "could not be signed in to within {} s: it did not answer, or no Kerberos server did",
                self.timeout.as_secs()
            )),
        }
    }

    fn unreached(&self, what: &str) -> Failure {
        Failure::unavailable(FailureKind::Unreached, &self.endpoint, what)
    }

    async fn connect(&self, end: Instant) -> Result<TcpStream, Failure> {
        let host = self.endpoint.server.host.as_str();
        let addresses: Vec<SocketAddr> = match timeout_at(end, lookup_host((host, self.endpoint.port(self.tls)))).await
        {
            Ok(Ok(addresses)) => addresses.collect(),
            Ok(Err(e)) => return Err(self.unreached(&format!("is not known by that name: {e}"))),
            Err(_) => return Err(self.silent(Step::Name)),
        };
        if addresses.is_empty() {
            return Err(self.unreached("has no address"));
        }
        let limit = CONNECT_LIMIT + race::head_start(addresses.len());
        match timeout_at(end.min(Instant::now() + limit), race::first(addresses)).await {
            Ok(Ok(stream)) => Ok(stream),
            Ok(Err(e)) if e.kind() != std::io::ErrorKind::TimedOut => {
                Err(self.unreached(&format!("cannot be reached: {e}")))
            }
            _ => Err(Failure::silent(&self.endpoint, Step::Connect, self.timeout.min(limit))),
        }
    }

    async fn protect(&self, stream: TcpStream, end: Instant) -> Result<Ldap, Failure> {
        let lost = |e: LdapError| Failure::in_operation(&self.endpoint, Step::Tls, Trouble::Library(e));
        let stream = stream.into_std().map_err(|e| lost(e.into()))?;
        let (trust, name) = self.trust.for_host(&self.endpoint.server.host);
        let settings = LdapConnSettings::new()
            .set_config(trust)
            .set_starttls(self.tls == Tls::StartTls)
            .set_std_stream(StdStream::Tcp(stream));
        let scheme = match self.tls {
            Tls::Ldaps => "ldaps",
            Tls::StartTls => "ldap",
        };
        // Only the name counts, for the certificate: the stream is there already.
        let url = format!("{scheme}://{name}");
        match timeout_at(end, LdapConnAsync::with_settings(settings, &url)).await {
            Ok(Ok((connection, ldap))) => {
                tokio::spawn(async move {
                    // Who waits for an answer learns of its end.
                    let _ = connection.drive().await;
                });
                Ok(ldap)
            }
            Ok(Err(e)) => Err(lost(e)),
            Err(_) => Err(self.silent(Step::Tls)),
        }
    }

    async fn sign_in(&self, ldap: &mut Ldap) -> Result<(), Failure> {
        let bound = match &self.credentials {
            Credentials::Simple { user, password } => ldap.simple_bind(user, password.expose()).await,
            Credentials::Kerberos => return self.kerberos(ldap).await,
        };
        self.signed_in(bound)
    }

    fn signed_in(&self, bound: Result<ldap3::LdapResult, LdapError>) -> Result<(), Failure> {
        let trouble = match bound {
            Ok(result) if result.rc == 0 => return Ok(()),
            Ok(result) => Trouble::Answer(result),
            Err(error) => Trouble::Library(error),
        };
        Err(Failure::in_operation(&self.endpoint, Step::Bind, trouble))
    }

    #[cfg(feature = "gssapi")]
    async fn kerberos(&self, ldap: &mut Ldap) -> Result<(), Failure> {
        use crate::failure::kerberos;

        let mut ldap = ldap.clone();
        let host = self.endpoint.server.host.clone();
        let handle = tokio::runtime::Handle::current();
        // The Kerberos library waits for its servers where it is called.
        let bound = tokio::task::spawn_blocking(move || handle.block_on(ldap.sasl_gssapi_bind(&host))).await;
        match bound {
            Ok(Err(LdapError::GssapiOperationError(text))) => Err(kerberos(&self.endpoint, &text)),
            Ok(Err(LdapError::NoGssapiToken)) => Err(kerberos(&self.endpoint, "the server sent no token")),
            Ok(bound) => self.signed_in(bound),
            Err(_) => Err(kerberos(&self.endpoint, "the Kerberos library failed")),
        }
    }

    #[cfg(not(feature = "gssapi"))]
    async fn kerberos(&self, _: &mut Ldap) -> Result<(), Failure> {
        Err(Failure::local(super::super::NO_KERBEROS))
    }
}
