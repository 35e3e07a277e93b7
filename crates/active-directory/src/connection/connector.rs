//! Opens a connection: name resolution, TCP, TLS, rootDSE, bind.

use std::net::SocketAddr;
use std::time::Duration;

use ldap3::{Ldap, LdapConnAsync, LdapConnSettings, LdapError, StdStream};
use tokio::net::{TcpStream, lookup_host};
use tokio::time::{Instant, timeout_at};

use super::RawConnection;
use super::happy_eyeballs;
use super::request::{OpError, search};
use super::root_dse::RootDse;
use crate::admission::Admission;
use crate::server::{Endpoint, Tls};
use crate::server_error::{ServerError, ServerErrorKind, Step};
use umpin_platform::secret::Secret;
use umpin_platform::tls::Trust;

/// Time limit of one connection attempt.
const CONNECT_LIMIT: Duration = Duration::from_secs(5);

/// The credentials of a bind.
pub(crate) enum Credentials {
    Simple { user: String, password: Secret },
    Kerberos,
}

impl Credentials {
    /// The key under which [`super::bind_guard::BindGuard`] remembers them: the password, which is never empty, or nothing for Kerberos.
    pub(super) fn secret(&self) -> Secret {
        match self {
            Self::Simple { password, .. } => password.clone(),
            Self::Kerberos => Secret::new(String::new()),
        }
    }
}

/// Why the rootDSE could not be read.
enum RootDseError {
    /// The server answered with an error code.
    Rejected(ServerError),
    Failed(ServerError),
}

/// What a connection is opened with.
pub(crate) struct Connector {
    pub endpoint: Endpoint,
    pub tls: Tls,
    pub trust: Trust,
    pub admission: Admission,
    pub credentials: Credentials,
    pub timeout: Duration,
}

impl Connector {
    /// Connects, negotiates TLS and binds within the timeout. The password is sent only after the certificate was verified and the
    /// rootDSE named the required domain.
    pub(super) async fn open(self) -> Result<RawConnection, ServerError> {
        let end = Instant::now() + self.timeout;
        let stream = self.connect(end).await?;
        let mut ldap = self.negotiate_tls(stream, end).await?;
        let before_bind = self.read_root_dse(&ldap, end).await;
        let before_bind = match before_bind {
            // A policy can forbid anonymous reads of the rootDSE; it is read after the bind then.
            Err(RootDseError::Rejected(_)) => None,
            Err(RootDseError::Failed(failure)) => return Err(failure),
            Ok(root_dse) => Some(root_dse).filter(|root_dse| !root_dse.domain.is_empty()),
        };
        if let Some(root_dse) = &before_bind {
            self.admission.check(&self.endpoint, root_dse)?;
        }
        match timeout_at(end, self.bind(&mut ldap)).await {
            Ok(Ok(())) => {}
            Ok(Err(failure)) => return Err(failure),
            Err(_) => return Err(self.bind_timed_out()),
        }
        if let Some(root_dse) = before_bind {
            return Ok(RawConnection::new(ldap, root_dse));
        }
        match self.read_root_dse(&ldap, end).await {
            Ok(root_dse) => {
                self.admission.check(&self.endpoint, &root_dse)?;
                Ok(RawConnection::new(ldap, root_dse))
            }
            Err(RootDseError::Rejected(failure) | RootDseError::Failed(failure)) => Err(failure),
        }
    }

    async fn read_root_dse(&self, ldap: &Ldap, end: Instant) -> Result<RootDse, RootDseError> {
        let request = RootDse::request(super::time_limit(self.timeout));
        match timeout_at(end, search(ldap.clone(), request)).await {
            Ok(Ok((answer, _))) => Ok(answer.entries.first().map(RootDse::of).unwrap_or_default()),
            Ok(Err(error)) => {
                let is_answer = matches!(error, OpError::Response(_));
                let failure = ServerError::from_operation(&self.endpoint, Step::RootDse, error);
                Err(if is_answer {
                    RootDseError::Rejected(failure)
                } else {
                    RootDseError::Failed(failure)
                })
            }
            Err(_) => Err(RootDseError::Failed(self.timed_out(Step::RootDse))),
        }
    }

    fn timed_out(&self, step: Step) -> ServerError {
        ServerError::timed_out(&self.endpoint, step, self.timeout)
    }

    fn bind_timed_out(&self) -> ServerError {
        match self.credentials {
            Credentials::Simple { .. } => self.timed_out(Step::Bind),
            // The library does not say which of the two it was.
            Credentials::Kerberos => self.not_sent(&format!(
                "did not complete the Kerberos sign-in within {} s: it did not answer, or no Kerberos server did",
                self.timeout.as_secs()
            )),
        }
    }

    fn not_sent(&self, what: &str) -> ServerError {
        ServerError::unavailable(ServerErrorKind::NotSent, &self.endpoint, what)
    }

    async fn connect(&self, end: Instant) -> Result<TcpStream, ServerError> {
        let host = self.endpoint.server.host.as_str();
        let addresses: Vec<SocketAddr> = match timeout_at(end, lookup_host((host, self.endpoint.port(self.tls)))).await
        {
            Ok(Ok(addresses)) => addresses.collect(),
            Ok(Err(e)) => return Err(self.not_sent(&format!("is not known by that name: {e}"))),
            Err(_) => return Err(self.timed_out(Step::Name)),
        };
        if addresses.is_empty() {
            return Err(self.not_sent("has no address"));
        }
        let limit = CONNECT_LIMIT + happy_eyeballs::stagger(addresses.len());
        match timeout_at(end.min(Instant::now() + limit), happy_eyeballs::connect(addresses)).await {
            Ok(Ok(stream)) => Ok(stream),
            Ok(Err(e)) if e.kind() != std::io::ErrorKind::TimedOut => {
                Err(self.not_sent(&format!("cannot be reached: {e}")))
            }
            _ => Err(ServerError::timed_out(
                &self.endpoint,
                Step::Connect,
                self.timeout.min(limit),
            )),
        }
    }

    async fn negotiate_tls(&self, stream: TcpStream, end: Instant) -> Result<Ldap, ServerError> {
        let failed = |e: LdapError| ServerError::from_operation(&self.endpoint, Step::Tls, OpError::Library(e));
        let stream = stream.into_std().map_err(|e| failed(e.into()))?;
        let (trust, name) = self.trust.for_host(&self.endpoint.server.host);
        let settings = LdapConnSettings::new()
            .set_config(trust)
            .set_starttls(self.tls == Tls::StartTls)
            .set_std_stream(StdStream::Tcp(stream));
        let scheme = match self.tls {
            Tls::Ldaps => "ldaps",
            Tls::StartTls => "ldap",
        };
        // Only the name matters, for the certificate: the stream is open already.
        let url = format!("{scheme}://{name}");
        match timeout_at(end, LdapConnAsync::with_settings(settings, &url)).await {
            Ok(Ok((connection, ldap))) => {
                tokio::spawn(async move {
                    // Pending operations receive the error.
                    let _ = connection.drive().await;
                });
                Ok(ldap)
            }
            Ok(Err(e)) => Err(failed(e)),
            Err(_) => Err(self.timed_out(Step::Tls)),
        }
    }

    async fn bind(&self, ldap: &mut Ldap) -> Result<(), ServerError> {
        let bound = match &self.credentials {
            Credentials::Simple { user, password } => ldap.simple_bind(user, password.expose()).await,
            Credentials::Kerberos => return self.kerberos(ldap).await,
        };
        self.bind_result(bound)
    }

    fn bind_result(&self, bound: Result<ldap3::LdapResult, LdapError>) -> Result<(), ServerError> {
        let error = match bound {
            Ok(result) if result.rc == 0 => return Ok(()),
            Ok(result) => OpError::Response(result),
            Err(error) => OpError::Library(error),
        };
        Err(ServerError::from_operation(&self.endpoint, Step::Bind, error))
    }

    #[cfg(feature = "gssapi")]
    async fn kerberos(&self, ldap: &mut Ldap) -> Result<(), ServerError> {
        use crate::server_error::kerberos;

        let mut ldap = ldap.clone();
        let host = self.endpoint.server.host.clone();
        let handle = tokio::runtime::Handle::current();
        // The Kerberos library blocks.
        let bound = tokio::task::spawn_blocking(move || handle.block_on(ldap.sasl_gssapi_bind(&host))).await;
        match bound {
            Ok(Err(LdapError::GssapiOperationError(text))) => Err(kerberos(&self.endpoint, &text)),
            Ok(Err(LdapError::NoGssapiToken)) => Err(kerberos(&self.endpoint, "the server sent no token")),
            Ok(bound) => self.bind_result(bound),
            Err(_) => Err(kerberos(&self.endpoint, "the Kerberos library failed")),
        }
    }

    #[cfg(not(feature = "gssapi"))]
    async fn kerberos(&self, _: &mut Ldap) -> Result<(), ServerError> {
        Err(ServerError::configuration(super::super::NO_KERBEROS))
    }
}
