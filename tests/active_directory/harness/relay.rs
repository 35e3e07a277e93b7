//! A TLS relay between the tests and a controller, which counts, holds, drops and limits LDAP messages.

use std::collections::HashMap;
use std::mem;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::watch;
use tokio_rustls::{TlsAcceptor, TlsConnector};

use super::administrator::{Administrator, trusting};
use super::certificates::{Authority, Signed};
use super::controller::Controller;
use super::message::{Message, Operation, size_limit_exceeded};
use super::{DOMAIN, network, tools};

const LDAPS: u16 = 636;
/// Time limit of each wait.
const TIMEOUT: Duration = Duration::from_secs(60);

/// A relay with its own host name on the LDAPS port. Dropping it closes all connections.
pub struct Relay {
    number: u8,
    shared: Arc<Shared>,
    _runtime: Runtime,
}

struct Shared {
    state: Mutex<State>,
    hung: watch::Sender<bool>,
    released: watch::Sender<bool>,
}

#[derive(Default)]
struct State {
    counts: HashMap<Operation, usize>,
    order: Disposition,
    /// The `resultCode` of the modification that was held back or whose response was dropped.
    landed: Option<u8>,
    holds: bool,
    /// Remaining bytes of responses before the connection is cut.
    left: Option<usize>,
    /// Maximum number of entries of a search without paging.
    most_entries: Option<usize>,
}

/// What happens to the next modification.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Disposition {
    #[default]
    Pass,
    Hold,
    DropAnswer,
}

impl Relay {
    /// With a valid certificate.
    pub fn start(dc: &Controller, authority: &Authority) -> Self {
        Self::start_with(dc, |host| authority.sign(&[host]))
    }

    /// With a certificate signed by `sign` for its name.
    pub fn start_with(dc: &Controller, sign: impl FnOnce(&str) -> Signed) -> Self {
        static NUMBER: AtomicU8 = AtomicU8::new(1);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let signed = sign(&host(number));
        let acceptor = TlsAcceptor::from(Arc::new(serving(&signed)));
        let shared = Arc::new(Shared {
            state: Mutex::default(),
            hung: watch::Sender::new(false),
            released: watch::Sender::new(false),
        });
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .expect("a runtime");
        let listener = runtime
            .block_on(TcpListener::bind((network::relay(number), LDAPS)))
            .expect("an address of its own");
        let target = Target {
            address: SocketAddr::new(dc.address().parse().expect("an address"), LDAPS),
            host: dc.host(),
        };
        runtime.spawn(accept(listener, acceptor, target, Arc::clone(&shared)));
        Self {
            number,
            shared,
            _runtime: runtime,
        }
    }

    /// Its name for `domainControllers`.
    pub fn host(&self) -> String {
        host(self.number)
    }

    /// Connects as administrator through the relay.
    pub fn administrator(&self) -> Administrator {
        Administrator::connect(&network::relay(self.number), &self.host()).expect("the relay passes it on")
    }

    /// Number of requests of this kind since the start or the last [`Self::forget`].
    pub fn count(&self, operation: Operation) -> usize {
        self.shared.state().counts.get(&operation).copied().unwrap_or(0)
    }

    /// Resets the counts.
    pub fn forget(&self) {
        self.shared.state().counts.clear();
    }

    /// Holds the next modification until [`Self::release`], even if its client disconnects.
    pub fn hold_next_modify(&self) {
        self.shared.released.send_replace(false);
        let mut state = self.shared.state();
        (state.order, state.holds, state.landed) = (Disposition::Hold, false, None);
    }

    /// Waits until a modification is held.
    pub fn wait_until_held(&self) {
        tools::wait_until("a modification to hold back", TIMEOUT, || {
            let state = self.shared.state();
            state
                .holds
                .then_some(())
                .ok_or_else(|| format!("so far {:?}", state.counts))
        });
    }

    /// Forwards the held modification and returns the controller's `resultCode`.
    pub fn release(&self) -> u8 {
        self.shared.released.send_replace(true);
        self.wait_until_applied()
    }

    /// Forwards the next modification and closes the connection instead of returning the response.
    pub fn drop_next_answer(&self) {
        let mut state = self.shared.state();
        (state.order, state.landed) = (Disposition::DropAnswer, None);
    }

    /// Waits for the controller's response to the modification that was held or whose response is dropped; returns its `resultCode`.
    pub fn wait_until_applied(&self) -> u8 {
        tools::wait_until("the controller's answer", TIMEOUT, || {
            self.shared.state().landed.ok_or_else(|| "none so far".to_owned())
        })
    }

    /// Forwards nothing in either direction; new connections are accepted and not served.
    pub fn hang(&self) {
        self.shared.hung.send_replace(true);
    }

    /// Undoes [`Self::hang`]; pending messages are forwarded.
    pub fn resume(&self) {
        self.shared.hung.send_replace(false);
    }

    /// Limits searches without paging to this many entries and ends them with `sizeLimitExceeded`, as Active Directory does
    /// (`MaxPageSize`, MS-ADTS 3.1.1.3.4.6) and Samba does not.
    pub fn limit_entries(&self, most: usize) {
        self.shared.state().most_entries = Some(most);
    }

    /// Closes the connection after this many more bytes of responses, also within a message.
    pub fn cut_after(&self, bytes: usize) {
        self.shared.state().left = Some(bytes);
    }
}

fn host(number: u8) -> String {
    format!("{}.{DOMAIN}", network::relay_name(number))
}

fn serving(signed: &Signed) -> ServerConfig {
    let chain = CertificateDer::pem_file_iter(&signed.certificate).expect("a certificate");
    let chain = chain.map(|certificate| certificate.expect("a certificate")).collect();
    let key = PrivateKeyDer::from_pem_file(&signed.key).expect("a key");
    ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("the usual versions")
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .expect("a key that fits")
}

#[derive(Clone)]
struct Target {
    address: SocketAddr,
    host: String,
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("a test has failed")
    }

    async fn unless_hung(&self) {
        let _ = self.hung.subscribe().wait_for(|hung| !hung).await;
    }
}

impl State {
    fn take(&mut self, message: &Message) -> Disposition {
        *self.counts.entry(message.operation).or_default() += 1;
        if message.operation != Operation::MODIFY {
            return Disposition::Pass;
        }
        let order = mem::take(&mut self.order);
        self.holds |= order == Disposition::Hold;
        order
    }

    /// How many entries of the result are forwarded, if that is limited.
    fn entries_of(&self, message: &Message) -> Option<usize> {
        let (most, amount) = (self.most_entries?, message.amount?);
        let wanted = if amount.most == 0 { most } else { amount.most };
        (!amount.is_paged).then_some(wanted.min(most))
    }

    /// How many of these bytes are forwarded. After a cut the limit is off.
    fn pass(&mut self, bytes: usize) -> usize {
        match self.left.take() {
            None => bytes,
            Some(left) if left < bytes => left,
            Some(left) => {
                self.left = Some(left - bytes);
                bytes
            }
        }
    }
}

async fn accept(listener: TcpListener, acceptor: TlsAcceptor, target: Target, shared: Arc<Shared>) {
    while let Ok((stream, _)) = listener.accept().await {
        let (acceptor, target, shared) = (acceptor.clone(), target.clone(), Arc::clone(&shared));
        tokio::spawn(async move {
            shared.unless_hung().await;
            // A client that does not trust the certificate disconnects here.
            if let Some((client, server)) = connect(stream, acceptor, target).await {
                let (client_reads, client_writes) = tokio::io::split(client);
                let (server_reads, server_writes) = tokio::io::split(server);
                let watched = Watched::new(None);
                let limits = Limits::default();
                // When one direction ends, both connections are closed.
                tokio::select! {
                    () = requests(client_reads, server_writes, &shared, &watched, &limits) => {}
                    () = answers(server_reads, client_writes, &shared, &watched, &limits) => {}
                }
            }
        });
    }
}

async fn connect(
    stream: TcpStream,
    acceptor: TlsAcceptor,
    target: Target,
) -> Option<(
    tokio_rustls::server::TlsStream<TcpStream>,
    tokio_rustls::client::TlsStream<TcpStream>,
)> {
    stream.set_nodelay(true).ok()?;
    let client = acceptor.accept(stream).await.ok()?;
    let onward = TcpStream::connect(target.address).await.ok()?;
    onward.set_nodelay(true).ok()?;
    let name = ServerName::try_from(target.host).ok()?;
    let server = TlsConnector::from(trusting()).connect(name, onward).await.ok()?;
    Some((client, server))
}

/// The modification that was held back or whose response is dropped: its message id, and which of the two.
type Watched = watch::Sender<Option<(Vec<u8>, bool)>>;

/// The limited searches of a connection, by message id: remaining entries, and whether more were dropped.
#[derive(Default)]
struct Limits(Mutex<HashMap<Vec<u8>, (usize, bool)>>);

impl Limits {
    fn begin(&self, id: &[u8], entries: usize) {
        self.0
            .lock()
            .expect("a test has failed")
            .insert(id.to_vec(), (entries, false));
    }

    /// The part of a controller's message that is forwarded.
    fn pass(&self, message: &Message) -> Option<Vec<u8>> {
        let mut all = self.0.lock().expect("a test has failed");
        if message.operation == Operation::ENTRY
            && let Some((left, is_cut)) = all.get_mut(&message.id)
        {
            if *left == 0 {
                *is_cut = true;
                return None;
            }
            *left -= 1;
        }
        if message.operation == Operation::DONE
            && let Some((_, true)) = all.remove(&message.id)
        {
            return Some(size_limit_exceeded(&message.id));
        }
        Some(message.bytes.clone())
    }
}

async fn requests(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    shared: &Shared,
    watched: &Watched,
    limits: &Limits,
) {
    while let Some(message) = Message::read(&mut from).await {
        shared.unless_hung().await;
        let order = shared.state().take(&message);
        if let Some(entries) = shared.state().entries_of(&message) {
            limits.begin(&message.id, entries);
        }
        if order == Disposition::Hold {
            let _ = shared.released.subscribe().wait_for(|released| *released).await;
        }
        if order != Disposition::Pass {
            watched.send_replace(Some((message.id, order == Disposition::DropAnswer)));
        }
        if send(&mut to, &message.bytes).await.is_err() {
            return;
        }
        if order != Disposition::Pass {
            // The client may have disconnected; the controller must not see that before it has answered.
            let _ = watched.subscribe().wait_for(Option::is_none).await;
        }
    }
}

async fn answers(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    shared: &Shared,
    watched: &Watched,
    limits: &Limits,
) {
    while let Some(message) = Message::read(&mut from).await {
        shared.unless_hung().await;
        let is_dropped = match &*watched.borrow() {
            Some((id, is_dropped)) if *id == message.id => Some(*is_dropped),
            _ => None,
        };
        if let Some(is_dropped) = is_dropped {
            shared.state().landed = message.result_code;
            watched.send_replace(None);
            if is_dropped {
                return;
            }
        }
        let Some(bytes) = limits.pass(&message) else {
            continue;
        };
        let passes = shared.state().pass(bytes.len());
        // The client may have disconnected; the response is recorded anyway.
        let _ = send(&mut to, &bytes[..passes]).await;
        if passes < bytes.len() {
            return;
        }
    }
}

async fn send(to: &mut (impl AsyncWrite + Unpin), bytes: &[u8]) -> std::io::Result<()> {
    to.write_all(bytes).await?;
    to.flush().await
}
