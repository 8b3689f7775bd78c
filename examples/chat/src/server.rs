//! The server: a `Participant` for each connection, and one room for all of them.
//!
//! Invariants: a name belongs to one participant, from `enter` until `leave` or the end of the connection, and all others
//! are notified of both; a slow client misses a line, and delays the others for at most `SEND_TIMEOUT`.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use kaa_rpc_runtime::{Context, Failure, Fault, Method, OnewayCall, PeerRegistry, Secret, Server};
use tokio::runtime::Handle;

use crate::api::chat::{Chat, ChatClientProxy, ChatError, ChatServer, MAX_PEOPLE};

/// How long sending a line to one client may take.
const SEND_TIMEOUT: Duration = Duration::from_secs(1);

/// The people in the room, by name. A client is removed when its connection ends.
type Room = PeerRegistry<String, ChatClientProxy>;

/// Serves until Ctrl-C.
///
/// # Errors
/// The secret cannot be read or created, or the server cannot listen.
pub async fn run(address: &str, secret_file: &str) -> Result<(), Fault> {
    let room = Room::new();
    let server = Server::builder()
        .secret(Secret::from_file_or_generate(secret_file)?)
        .max_connections(usize::from(MAX_PEOPLE))
        .register(Chat::server_with(move |_client: ChatClientProxy| Participant::new(room.clone())))
        .listen(address)
        .await?;
    if let Some(address) = server.address() {
        crate::print(format_args!("listening on {address}"))?;
    }
    tokio::signal::ctrl_c().await?;
    server.shutdown(Duration::from_secs(5)).await;
    Ok(())
}

/// The server's side of one connection.
struct Participant {
    room: Room,
    /// `None` outside the room.
    name: Mutex<Option<String>>,
    runtime: Handle,
}

impl Participant {
    fn new(room: Room) -> Self {
        Self { room, name: Mutex::default(), runtime: Handle::current() }
    }

    fn name(&self) -> MutexGuard<'_, Option<String>> {
        self.name.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ChatServer for Participant {
    async fn enter(
        &self,
        cx: Context<ChatClientProxy>,
        name: String,
    ) -> Result<Vec<String>, Failure<ChatError>> {
        if name.trim().is_empty() {
            Err(ChatError::NoName)?;
        }
        {
            let mut own_name = self.name();
            if let Some(name) = &*own_name {
                Err(ChatError::AlreadyHere(name.clone()))?;
            }
            let inserted = self.room.try_insert(name.clone(), &cx.peer);
            inserted.map_err(|_holder| ChatError::NameTaken(name.clone()))?;
            *own_name = Some(name.clone());
        }
        // After the insertion: a person who enters at the same time is in this list or causes an event.
        let others = people(&self.room).into_iter().filter(|other| *other != name).collect();
        notify_others(&self.room, &name, |person| person.on_entered(&name)).await;
        Ok(others)
    }

    async fn say(&self, _cx: Context<ChatClientProxy>, line: String) -> Result<(), Failure<ChatError>> {
        let name = self.name().clone().ok_or(ChatError::NotHere)?;
        notify_others(&self.room, &name, |person| person.on_said(&name, &line)).await;
        Ok(())
    }

    async fn people(&self, _cx: Context<ChatClientProxy>) -> Result<Vec<String>, Fault> {
        Ok(people(&self.room))
    }

    async fn leave(&self, _cx: Context<ChatClientProxy>) -> Result<(), Failure<ChatError>> {
        let name = self.name().take().ok_or(ChatError::NotHere)?;
        self.room.remove(&name);
        notify_others(&self.room, &name, |person| person.on_left(&name)).await;
        Ok(())
    }
}

impl Drop for Participant {
    /// The connection has ended, and the registry has removed the client. The others are notified here.
    fn drop(&mut self) {
        let Some(name) = self.name().take() else { return };
        let room = self.room.clone();
        self.runtime.spawn(async move { notify_others(&room, &name, |person| person.on_left(&name)).await });
    }
}

fn people(room: &Room) -> Vec<String> {
    room.all().into_iter().map(|(name, _person)| name).collect()
}

/// Calls all clients except one, concurrently.
async fn notify_others<M: Method>(
    room: &Room,
    sender: &str,
    notify: impl Fn(ChatClientProxy) -> OnewayCall<M>,
) {
    room.call_where(|name| name != sender, |person| notify(person).timeout(SEND_TIMEOUT)).await;
}
