//! The server: one `Visitor` for each connection, and one room for all of them.
//!
//! Invariants: a name belongs to one visitor, from `enter` until `leave` or the end of the connection, and the others are
//! told of both; who reads slowly misses a line and does not hold up the rest for longer than `PATIENCE`.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use kaa_rpc_runtime::{Context, Failure, Fault, Method, OnewayCall, PeerRegistry, Secret, Server};
use tokio::runtime::Handle;

use crate::api::chat::{Chat, ChatClientProxy, ChatError, ChatServer, MOST_PEOPLE};

/// How long a line may take to leave for somebody.
const PATIENCE: Duration = Duration::from_secs(1);

/// Who is there, by name. It lets go of those whose connections end.
type Room = PeerRegistry<String, ChatClientProxy>;

/// Serves until Ctrl-C.
///
/// # Errors
/// There is no secret, or nothing can listen at the address.
pub async fn run(address: &str, secret_file: &str) -> Result<(), Fault> {
    let room = Room::new();
    let server = Server::builder()
        .secret(Secret::from_file_or_generate(secret_file)?)
        .max_connections(usize::from(MOST_PEOPLE))
        .register(Chat::server_with(move |_client: ChatClientProxy| Visitor::new(room.clone())))
        .listen(address)
        .await?;
    if let Some(address) = server.address() {
        crate::show(format_args!("listening on {address}"))?;
    }
    tokio::signal::ctrl_c().await?;
    server.shutdown(Duration::from_secs(5)).await;
    Ok(())
}

/// One client's connection, as the server sees it.
struct Visitor {
    room: Room,
    /// While it is in the room.
    name: Mutex<Option<String>>,
    runtime: Handle,
}

impl Visitor {
    fn new(room: Room) -> Self {
        Self { room, name: Mutex::default(), runtime: Handle::current() }
    }

    fn name(&self) -> MutexGuard<'_, Option<String>> {
        self.name.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ChatServer for Visitor {
    async fn enter(
        &self,
        cx: Context<ChatClientProxy>,
        name: String,
    ) -> Result<Vec<String>, Failure<ChatError>> {
        if name.trim().is_empty() {
            Err(ChatError::NoName)?;
        }
        {
            let mut mine = self.name();
            if let Some(name) = &*mine {
                Err(ChatError::AlreadyHere(name.clone()))?;
            }
            let inserted = self.room.try_insert(name.clone(), &cx.peer);
            inserted.map_err(|_holder| ChatError::NameTaken(name.clone()))?;
            *mine = Some(name.clone());
        }
        // After the insertion, so that whoever comes at the same time is either in the list or heard of.
        let others = people(&self.room).into_iter().filter(|other| *other != name).collect();
        tell_others(&self.room, &name, |person| person.on_entered(&name)).await;
        Ok(others)
    }

    async fn say(&self, _cx: Context<ChatClientProxy>, line: String) -> Result<(), Failure<ChatError>> {
        let name = self.name().clone().ok_or(ChatError::NotHere)?;
        tell_others(&self.room, &name, |person| person.on_said(&name, &line)).await;
        Ok(())
    }

    async fn people(&self, _cx: Context<ChatClientProxy>) -> Result<Vec<String>, Fault> {
        Ok(people(&self.room))
    }

    async fn leave(&self, _cx: Context<ChatClientProxy>) -> Result<(), Failure<ChatError>> {
        let name = self.name().take().ok_or(ChatError::NotHere)?;
        self.room.remove(&name);
        tell_others(&self.room, &name, |person| person.on_left(&name)).await;
        Ok(())
    }
}

impl Drop for Visitor {
    /// The connection is over. Who has not left is out of the room all the same; the others do not know it yet.
    fn drop(&mut self) {
        let Some(name) = self.name().take() else { return };
        let room = self.room.clone();
        self.runtime.spawn(async move { tell_others(&room, &name, |person| person.on_left(&name)).await });
    }
}

fn people(room: &Room) -> Vec<String> {
    room.all().into_iter().map(|(name, _person)| name).collect()
}

/// Calls all but one at the same time.
async fn tell_others<M: Method>(room: &Room, one: &str, tell: impl Fn(ChatClientProxy) -> OnewayCall<M>) {
    room.call_where(|name| name != one, |person| tell(person).timeout(PATIENCE)).await;
}
