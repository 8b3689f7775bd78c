//! The program `agent`: connects to a controller, reconnects when the connection is lost, and runs its jobs.
//!
//! Invariant: a cancelled job stops between two chunks, and leaves nothing running.

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

pub(crate) const USAGE: &str = "usage: agent NAME ADDRESS SECRET_FILE [PAUSE]
  connects to the controller at an address such as tls:127.0.0.1:7000 and runs its jobs, until it is dismissed;
  after each chunk of a job it pauses for PAUSE milliseconds, so that its progress is visible";

/// How long jobs may continue after the agent is dismissed.
const GRACE: Duration = Duration::from_secs(30);

struct Agent {
    pause: Option<Duration>,
    dismissed: Arc<Notify>,
}

#[tokio::main]
pub(crate) async fn run(name: &str, address: &str, secret: &str, pause: Option<u64>) -> Result<(), Fault> {
    let dismissed = Arc::new(Notify::new());
    let agent = Agent { pause: pause.map(Duration::from_millis), dismissed: Arc::clone(&dismissed) };
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
            // A registration ends with its connection.
            Some(ClientEvent::Connected(server)) => {
                match controller.register(name, Work::capabilities()).await {
                    Ok(()) => print(format_args!("registered at {}", server.address)),
                    Err(error) => print(format_args!("cannot register: {error}")),
                }
            }
            Some(ClientEvent::Disconnected { reason, retry_in: Some(_) }) => {
                print(format_args!("lost the controller: {reason}; reconnecting"));
            }
            Some(ClientEvent::Refused { error, retry_in: None }) => return Err(error.into()),
            Some(ClientEvent::Disconnected { reason, retry_in: None }) => return Err(reason.into()),
            Some(_) => {}
            None => break,
        }
    }
    client.shutdown(GRACE).await;
    print("dismissed");
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
        let job = Job { cx, id, input, work: Some(Work::new(task)?), done: 0, pause: self.pause };
        Ok(stream::try_unfold(job, Job::step))
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
    /// `None` after the end of the input.
    work: Option<Work>,
    /// Bytes of input that have been processed.
    done: u64,
    pause: Option<Duration>,
}

impl Job {
    /// Processes the next chunk, and returns the progress.
    async fn step(mut self) -> Result<Option<(Progress, Self)>, Failure<JobError>> {
        let Some(mut work) = self.work.take() else { return Ok(None) };
        let chunk = tokio::select! {
            biased;
            // The controller has cancelled the call: this is the place to clean up.
            () = self.cx.cancelled() => {
                print(format_args!("job {} was cancelled after {} bytes", self.id, self.done));
                return Ok(None);
            }
            chunk = next(&mut self.input, self.pause.filter(|_| self.done > 0)) => chunk,
        };
        let Some(chunk) = chunk else {
            let output = work.finish()?;
            return Ok(Some((Progress { done: self.done, output }, self)));
        };
        let chunk = chunk.fault()?; // the input failed, which is not its end
        self.done += u64::try_from(chunk.len()).unwrap_or(0);
        // On a blocking thread, because the computation would block the connection.
        let (output, work) =
            tokio::task::spawn_blocking(move || (work.process(&chunk), work)).await.fault()?;
        self.work = Some(work);
        Ok(Some((Progress { done: self.done, output: output? }, self)))
    }
}

/// The next chunk, after a pause.
async fn next(input: &mut Incoming<Bytes>, pause: Option<Duration>) -> Option<Result<Bytes, CallError>> {
    if let Some(pause) = pause {
        tokio::time::sleep(pause).await;
    }
    input.next().await
}

fn print(text: impl std::fmt::Display) {
    // The agent continues also if its output is closed.
    let _closed = writeln!(io::stdout(), "{text}");
}

#[cfg(test)]
mod tests {
    use kaa_rpc_runtime::{Outgoing, testing};

    use super::*;
    use crate::api::fleet::FleetClientProxy;

    #[tokio::test]
    async fn failed_input_does_not_count_as_finished() {
        let agent = Agent { pause: None, dismissed: Arc::new(Notify::new()) };
        let agent: FleetClientProxy = testing::proxy(Fleet::client(agent)).await.unwrap();
        let failing = [Ok(Bytes::from_static(b"half of")), Err(Fault::new("the disk failed"))];
        let mut steps = agent.run(JobId(1), Task::Checksum, Outgoing::fallible(stream::iter(failing)));
        assert_eq!(steps.next().await, Some(Ok(Progress { done: 7, output: Vec::new() })));
        let error = steps.next().await.unwrap().unwrap_err();
        assert!(matches!(&error, CallError::Fault(text) if text.contains("the disk failed")), "{error}");
        assert_eq!(steps.next().await, None);
    }
}
