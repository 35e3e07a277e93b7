//! Somebody between the tests and a controller, who sees every message and keeps some of them.

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
/// For what a test waits for.
const PATIENCE: Duration = Duration::from_secs(60);

/// It listens under a name of its own on the usual port; it ends with this, and all connections with it.
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
    order: Order,
    /// The `resultCode` that came for the modification that was held back or whose answer was dropped.
    landed: Option<u8>,
    holds: bool,
    /// So many bytes of answers still pass.
    left: Option<usize>,
    /// So many entries pass of a search that does not ask for pages.
    most_entries: Option<usize>,
}

/// What becomes of the next modification.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Order {
    #[default]
    Pass,
    Hold,
    DropAnswer,
}

impl Relay {
    /// With a certificate that is right.
    pub fn start(dc: &Controller, authority: &Authority) -> Self {
        Self::start_with(dc, |host| authority.sign(&[host]))
    }

    /// With whatever certificate is made for its name.
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

    /// What stands in `domainControllers` for it.
    pub fn host(&self) -> String {
        host(self.number)
    }

    /// The administrator's connection through it.
    pub fn administrator(&self) -> Administrator {
        Administrator::connect(&network::relay(self.number), &self.host()).expect("the relay passes it on")
    }

    /// How many of these were asked of the controller since the start or the last [`Self::forget`].
    pub fn count(&self, operation: Operation) -> usize {
        self.shared.state().counts.get(&operation).copied().unwrap_or(0)
    }

    /// Begins to count anew.
    pub fn forget(&self) {
        self.shared.state().counts.clear();
    }

    /// The next modification stays here until [`Self::release`], whatever becomes of who asked for it.
    pub fn hold_next_modify(&self) {
        self.shared.released.send_replace(false);
        let mut state = self.shared.state();
        (state.order, state.holds, state.landed) = (Order::Hold, false, None);
    }

    /// Waits until a modification is held.
    pub fn wait_until_held(&self) {
        tools::wait_until("a modification to hold back", PATIENCE, || {
            let state = self.shared.state();
            state
                .holds
                .then_some(())
                .ok_or_else(|| format!("so far {:?}", state.counts))
        });
    }

    /// Sends the held modification on, late.
    ///
    /// The controller's `resultCode`.
    pub fn release(&self) -> u8 {
        self.shared.released.send_replace(true);
        self.wait_until_landed()
    }

    /// The next modification is carried out, and instead of its answer the connection ends.
    pub fn drop_next_answer(&self) {
        let mut state = self.shared.state();
        (state.order, state.landed) = (Order::DropAnswer, None);
    }

    /// Waits for the controller's answer to the modification that was held or loses its answer: its `resultCode`.
    pub fn wait_until_landed(&self) -> u8 {
        tools::wait_until("the controller's answer", PATIENCE, || {
            self.shared.state().landed.ok_or_else(|| "none so far".to_owned())
        })
    }

    /// Nothing passes any more in either direction; new connections are accepted and left waiting.
    pub fn hang(&self) {
        self.shared.hung.send_replace(true);
    }

    /// Undoes [`Self::hang`]; what waited passes.
    pub fn go_on(&self) {
        self.shared.hung.send_replace(false);
    }

    /// From now on a search that does not ask for pages gets so many entries at most and fewer where it wants fewer, and then is told
    /// that there are more: as by Active Directory (`MaxPageSize`, MS-ADTS 3.1.1.3.4.6), and not by Samba.
    pub fn limit_entries(&self, most: usize) {
        self.shared.state().most_entries = Some(most);
    }

    /// After so many more bytes of answers the connection ends, in the middle of a message if need be.
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
    fn take(&mut self, message: &Message) -> Order {
        *self.counts.entry(message.operation).or_default() += 1;
        if message.operation != Operation::MODIFY {
            return Order::Pass;
        }
        let order = mem::take(&mut self.order);
        self.holds |= order == Order::Hold;
        order
    }

    /// How many entries of the answer pass, where that is limited.
    fn entries_of(&self, message: &Message) -> Option<usize> {
        let (most, amount) = (self.most_entries?, message.amount?);
        let wanted = if amount.most == 0 { most } else { amount.most };
        (!amount.is_paged).then_some(wanted.min(most))
    }

    /// How many of so many bytes pass. Once some did not, all do again.
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
            // Who does not trust the certificate goes away here.
            if let Some((client, server)) = connect(stream, acceptor, target).await {
                let (client_reads, client_writes) = tokio::io::split(client);
                let (server_reads, server_writes) = tokio::io::split(server);
                let watched = Watched::new(None);
                let limits = Limits::default();
                // Where one of them ends, the connections do.
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

/// The modification that was held back or whose answer does not pass: its message id, and whether that is so.
type Watched = watch::Sender<Option<(Vec<u8>, bool)>>;

/// The searches of a connection whose answers are limited, by their message ids: how many more entries pass, and whether others did not.
#[derive(Default)]
struct Limits(Mutex<HashMap<Vec<u8>, (usize, bool)>>);

impl Limits {
    fn begin(&self, id: &[u8], entries: usize) {
        self.0
            .lock()
            .expect("a test has failed")
            .insert(id.to_vec(), (entries, false));
    }

    /// What passes of a message of the controller.
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
        if order == Order::Hold {
            let _ = shared.released.subscribe().wait_for(|released| *released).await;
        }
        if order != Order::Pass {
            watched.send_replace(Some((message.id, order == Order::DropAnswer)));
        }
        if send(&mut to, &message.bytes).await.is_err() {
            return;
        }
        if order != Order::Pass {
            // Whoever asked may have gone long ago; the controller must not see that before it has answered.
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
        // Who has gone does not hear it; what was held back is answered all the same.
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
