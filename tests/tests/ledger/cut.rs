//! Connections that are cut at any byte by who is in the middle, while both processes live on.

use std::io;
use std::sync::Arc;

use kaa_rpc_tests::desk::{Dice, Endurance, Load, Patience};
use kaa_rpc_tests::fixture::{TestResult, run};
use kaa_rpc_tests::ledger::{Fate, Told};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream};
use tokio::sync::watch;

use crate::support::{Office, reconnecting, seed};

/// How one connection goes.
#[derive(Debug, Clone, Copy)]
enum Plan {
    /// It goes on as long as both ends like.
    Calm,
    /// When so many bytes have passed in either direction, it is gone in both.
    Cut { forth: u64, back: u64 },
    /// Likewise, but only the direction ends in which they have passed.
    Halved { forth: u64, back: u64 },
}

/// Cuts so many connections, then no more.
struct Scissors {
    dice: Dice,
    cuts: u64,
    left: Arc<watch::Sender<u64>>,
}

impl Scissors {
    fn new(seed: u64, cuts: u64) -> Self {
        Self { dice: Dice::new(seed), cuts, left: Arc::new(watch::Sender::new(cuts)) }
    }

    fn next_plan(&mut self) -> Plan {
        if self.cuts == 0 {
            return Plan::Calm;
        }
        self.cuts -= 1;
        // Every fourth in the handshake, or soon after it.
        let most = if self.dice.throw(4) == 0 { 600 } else { 60_000 };
        let (forth, back) = match self.dice.throw(2) {
            0 => (self.dice.throw(most), u64::MAX),
            _ => (u64::MAX, self.dice.throw(most)),
        };
        if self.dice.throw(3) == 0 { Plan::Halved { forth, back } } else { Plan::Cut { forth, back } }
    }

    /// Joins two streams as planned, in a task of their own.
    fn join<S: AsyncRead + AsyncWrite + Send + 'static>(&mut self, client: S, server: S) {
        let (plan, left) = (self.next_plan(), Arc::clone(&self.left));
        tokio::spawn(async move {
            let (mut from_client, mut to_client) = tokio::io::split(client);
            let (mut from_server, mut to_server) = tokio::io::split(server);
            let (forth, back) = match plan {
                Plan::Calm => (u64::MAX, u64::MAX),
                Plan::Cut { forth, back } | Plan::Halved { forth, back } => (forth, back),
            };
            let forth = pass(&mut from_client, &mut to_server, forth);
            let back = pass(&mut from_server, &mut to_client, back);
            // An end that has gone is what this is about.
            match plan {
                Plan::Cut { .. } => tokio::select! { _ = forth => {}, _ = back => {} },
                Plan::Calm | Plan::Halved { .. } => drop(tokio::join!(forth, back)),
            }
            if !matches!(plan, Plan::Calm) {
                left.send_modify(|left| *left -= 1);
            }
        });
    }
}

/// Passes at most so many bytes on.
async fn pass(
    from: &mut (impl AsyncRead + Unpin),
    to: &mut (impl AsyncWrite + Unpin),
    mut most: u64,
) -> io::Result<()> {
    let mut buffer = vec![0; 4096];
    while most > 0 {
        let passed = (&mut *from).take(most).read(&mut buffer).await?;
        if passed == 0 {
            break;
        }
        to.write_all(buffer.get(..passed).unwrap_or_default()).await?;
        most -= u64::try_from(passed).unwrap_or_default();
    }
    to.shutdown().await
}

/// A client whose connections to a server are cut, so many of them.
async fn cut_connections(mut office: Office, seed: u64, cuts: u64) -> TestResult {
    let server = office.start_server().await?;
    let mut scissors = Scissors::new(seed, cuts);
    let mut left = scissors.left.subscribe();
    let (address, relay) = if let Some(host) = office.address.strip_prefix("tls:").map(str::to_owned) {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = format!("tls:{}", listener.local_addr()?);
        let relay = tokio::spawn(async move {
            while let (Ok((client, _)), Ok(server)) =
                (listener.accept().await, TcpStream::connect(&host).await)
            {
                scissors.join(client, server);
            }
        });
        (address, relay)
    } else {
        let (path, there) = (office.place.file("relay"), office.place.socket());
        let listener = UnixListener::bind(&path)?;
        let relay = tokio::spawn(async move {
            while let (Ok((client, _)), Ok(server)) =
                (listener.accept().await, UnixStream::connect(&there).await)
            {
                scissors.join(client, server);
            }
        });
        (format!("unix:{}", path.display()), relay)
    };
    let guest = office.visitor(&address, reconnecting)?;
    let load = Load::start(16, &guest.errands(seed, Patience::Short), &guest.desk(), Endurance::Endless);
    left.wait_for(|left| *left == 0).await?;
    guest.ledger.told_more(100).await;
    load.stop().await?;
    guest.is_served().await?;
    server.shut_down().await?;
    relay.abort();

    let (forth, back) = office.check(Fate::Ended, Fate::Ended)?;
    for told in [Told::Ok, Told::Run, Told::NotSent, Told::Unknown, Told::GivenUp] {
        assert!(forth.told(told) > 0, "nobody was told {told:?}");
    }
    assert!(back.told(Told::Ok) > 0 && back.told(Told::Unknown) > 0);
    assert!(forth.dropped() > 0, "no handler has ended with its connection");
    assert!(forth.repeated() > 0, "nothing was sent again");
    Ok(())
}

#[test]
fn outcomes_match_handlers_when_connections_break() -> TestResult {
    run(async { cut_connections(Office::new()?, seed(1), 60).await })
}

#[test]
fn outcomes_match_handlers_when_tls_connections_break() -> TestResult {
    let office = Office { address: "tls:127.0.0.1:0".to_owned(), ..Office::new()? };
    run(cut_connections(office, seed(2), 30))
}
