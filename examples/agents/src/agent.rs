//! The program `agent`: comes to a controller, again whenever it is lost, and does its jobs.
//!
//! Invariant: a job that is not wanted any more is noticed between two chunks, and leaves nothing running.

use std::io::{self, Write};
use std::sync::Arc;
use std::time::Duration;

use futures_util::{Stream, stream};
use kaa_rpc_runtime::{
    Backoff, Bytes, CallError, Client, ClientEvent, Context, Failure, Fault, Incoming, IntoFault, Secret,
};
use tokio::sync::Notify;

use crate::api::fleet::{Fleet, FleetClient, FleetServerProxy, JobError, JobId, Progress, Task};
use crate::work::Work;

pub(crate) const USAGE: &str = "usage: agent NAME ADDRESS SECRET_FILE [REST]
  comes to the controller at an address such as tls:127.0.0.1:7000 and does its jobs, until it is dismissed;
  after each chunk of a job it rests for REST milliseconds, so that there is something to see";

/// How long jobs may go on once the agent is dismissed.
const GRACE: Duration = Duration::from_secs(30);

struct Agent {
    rest: Option<Duration>,
    dismissed: Arc<Notify>,
}

#[tokio::main]
pub(crate) async fn run(name: &str, address: &str, secret: &str, rest: Option<u64>) -> Result<(), Fault> {
    let dismissed = Arc::new(Notify::new());
    let agent = Agent { rest: rest.map(Duration::from_millis), dismissed: Arc::clone(&dismissed) };
    let client = Client::builder()
        .secret(Secret::from_file(secret)?)
        .register(Fleet::client(agent))
        .reconnect(Backoff::default().max(Duration::from_secs(5)))
        .connect(address)?;
    let controller: FleetServerProxy = client.proxy();
    let mut events = client.events();
    loop {
        let event = tokio::select! {
            () = dismissed.notified() => break,
            event = events.next() => event,
        };
        match event {
            // Whoever was registered here before, on another connection, is forgotten with it.
            Some(ClientEvent::Connected(server)) => {
                match controller.register(name, Work::abilities()).await {
                    Ok(()) => note(format_args!("registered at {}", server.address)),
                    Err(error) => note(format_args!("cannot register: {error}")),
                }
            }
            Some(ClientEvent::Disconnected { reason, retry_in: Some(_) }) => {
                note(format_args!("the controller is lost: {reason}; trying again"));
            }
            Some(ClientEvent::Refused { error, retry_in: None }) => return Err(error.into()),
            Some(ClientEvent::Disconnected { reason, retry_in: None }) => return Err(reason.into()),
            Some(_) => {}
            None => break,
        }
    }
    client.shutdown(GRACE).await;
    note("dismissed");
    Ok(())
}

impl FleetClient for Agent {
    async fn run(
        &self,
        cx: Context<FleetServerProxy>,
        id: JobId,
        task: Task,
        input: Incoming<Bytes>,
    ) -> Result<impl Stream<Item = Result<Progress, Failure<JobError>>> + Send, Failure<JobError>> {
        let job = Job { cx, id, input, work: Some(Work::new(task)?), done: 0, rest: self.rest };
        Ok(stream::try_unfold(job, Job::go_on))
    }

    async fn dismiss(&self, _cx: Context<FleetServerProxy>) -> Result<(), Fault> {
        self.dismissed.notify_one();
        Ok(())
    }
}

/// A job between two of its chunks.
struct Job {
    cx: Context<FleetServerProxy>,
    id: JobId,
    input: Incoming<Bytes>,
    /// Gone when the input has ended.
    work: Option<Work>,
    done: u64,
    rest: Option<Duration>,
}

impl Job {
    /// Takes a chunk, and tells how far it has come.
    async fn go_on(mut self) -> Result<Option<(Progress, Self)>, Failure<JobError>> {
        let Some(mut work) = self.work.take() else { return Ok(None) };
        let chunk = tokio::select! {
            biased;
            // The controller has cancelled it: this is the place to clean up.
            () = self.cx.cancelled() => {
                note(format_args!("job {} is given up after {} bytes", self.id, self.done));
                return Ok(None);
            }
            chunk = next(&mut self.input, self.rest.filter(|_| self.done > 0)) => chunk,
        };
        let Some(chunk) = chunk else {
            let output = work.finish()?;
            return Ok(Some((Progress { done: self.done, output }, self)));
        };
        let chunk = chunk.fault()?; // it broke off: this is not the end
        self.done += u64::try_from(chunk.len()).unwrap_or(0);
        // It computes, and would hold up the connection.
        let (output, work) = tokio::task::spawn_blocking(move || (work.take(&chunk), work)).await.fault()?;
        self.work = Some(work);
        Ok(Some((Progress { done: self.done, output: output? }, self)))
    }
}

/// The next chunk, after a rest.
async fn next(input: &mut Incoming<Bytes>, rest: Option<Duration>) -> Option<Result<Bytes, CallError>> {
    if let Some(rest) = rest {
        tokio::time::sleep(rest).await;
    }
    input.next().await
}

fn note(text: impl std::fmt::Display) {
    // Nobody may be there to read it, which is no reason to stop.
    let _unsaid = writeln!(io::stdout(), "{text}");
}

#[cfg(test)]
mod tests {
    use kaa_rpc_runtime::{Outgoing, testing};

    use super::*;
    use crate::api::fleet::FleetClientProxy;

    #[tokio::test]
    async fn failed_input_does_not_count_as_finished() {
        let agent = Agent { rest: None, dismissed: Arc::new(Notify::new()) };
        let agent: FleetClientProxy = testing::proxy(Fleet::client(agent)).await.unwrap();
        let torn = [Ok(Bytes::from_static(b"half of")), Err(Fault::new("the disk is gone"))];
        let mut steps = agent.run(JobId(1), Task::Checksum, Outgoing::fallible(stream::iter(torn)));
        assert_eq!(steps.next().await, Some(Ok(Progress { done: 7, output: Vec::new() })));
        let error = steps.next().await.unwrap().unwrap_err();
        assert!(matches!(&error, CallError::Fault(text) if text.contains("the disk is gone")), "{error}");
        assert_eq!(steps.next().await, None);
    }
}
