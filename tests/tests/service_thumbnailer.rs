//! The thumbnailer and its feeds in `kaa/thumbnailer`: two services on one connection, every call over a unix
//! socket.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use kaa_rpc_runtime::{Context, Failure, Fault};
use kaa_rpc_tests::api::thumbnailer::*;
use kaa_rpc_tests::fixture::{Locked, Pair, Reporter, Reports, TestResult, client, declared, run, server};
use tokio::sync::Notify;

const LIMIT: usize = 3;

#[derive(Debug)]
struct Job {
    filename: Path,
    image_file: Path,
    url: Option<Url>,
    priority: Priority,
    client: ThumbnailerClientProxy,
}

/// The jobs, which wait until the test starts the worker.
#[derive(Default)]
struct Queue {
    clients: Locked<BTreeSet<ClientId>>,
    jobs: Locked<BTreeMap<JobId, Job>>,
    start: Notify,
}

struct Thumbnails(Arc<Queue>);

impl Thumbnails {
    fn greet(queue: &Arc<Queue>, peer: ThumbnailerClientProxy) -> Self {
        let id = queue.clients.with(|clients| {
            let id = ClientId(u32::try_from(clients.len()).unwrap_or(u32::MAX) + 1);
            clients.insert(id);
            id
        });
        tokio::spawn(async move { peer.on_connect(id).await });
        Self(Arc::clone(queue))
    }
}

/// Makes the thumbnails of all jobs, the most urgent first, and calls their clients.
async fn work(queue: Arc<Queue>) {
    loop {
        queue.start.notified().await;
        while let Some((id, job)) = queue.jobs.with(|jobs| {
            let urgent = jobs.iter().max_by_key(|(_, job)| job.priority).map(|(id, _)| *id);
            urgent.and_then(|id| jobs.remove_entry(&id))
        }) {
            let source = job.url.map_or_else(|| job.filename.to_string(), |url| url.to_string());
            // A client that has disconnected must not stop the jobs of the others.
            let _ = job.client.on_log("thumbnail of %s", vec![source]).await;
            let image = (!job.filename.0.ends_with(".txt")).then_some(job.image_file);
            let _ = job.client.on_finished(id, job.filename, image).await;
        }
    }
}

impl ThumbnailerServer for Thumbnails {
    async fn schedule(
        &self,
        cx: Context<ThumbnailerClientProxy>,
        id: JobId,
        filename: Path,
        image_file: Path,
        url: Option<Url>,
        options: ScheduleOptions,
    ) -> Result<(), Failure<ThumbnailError>> {
        if !self.0.clients.with(|clients| clients.contains(&id.client)) {
            return Err(ThumbnailError::UnknownClient(id.client).into());
        }
        self.0.jobs.with(|jobs| {
            if jobs.len() >= LIMIT {
                return Err(ThumbnailError::QueueFull { limit: 3 });
            }
            let client = cx.peer.clone();
            jobs.insert(id, Job { filename, image_file, url, priority: options.priority, client });
            Ok(())
        })?;
        Ok(())
    }

    async fn set_priority(
        &self,
        _cx: Context<ThumbnailerClientProxy>,
        id: JobId,
        priority: Priority,
    ) -> Result<(), Failure<ThumbnailError>> {
        self.0.jobs.with(|jobs| {
            jobs.get_mut(&id).ok_or(ThumbnailError::NoSuchJob { job: id.job })?.priority = priority;
            Ok::<_, ThumbnailError>(())
        })?;
        Ok(())
    }
}

#[derive(Default)]
struct Subscriptions(Locked<Vec<Feed>>);

impl FeedsServer for Subscriptions {
    async fn update(&self, _cx: Context<FeedsClientProxy>, id: FeedId) -> Result<u32, Failure<FeedError>> {
        let feed = self.0.with(|feeds| feeds.iter().find(|feed| feed.id == id).cloned());
        let feed = feed.ok_or(FeedError::NoSuchFeed(id))?;
        if !feed.url.0.starts_with("http") {
            return Err(FeedError::Unreadable { url: feed.url, reason: "no such protocol".to_owned() }.into());
        }
        Ok(feed.number)
    }

    async fn list(&self, _cx: Context<FeedsClientProxy>) -> Result<Vec<Feed>, Fault> {
        Ok(self.0.with(|feeds| feeds.clone()))
    }

    async fn add(
        &self,
        _cx: Context<FeedsClientProxy>,
        url: Url,
        folder: Path,
        options: AddOptions,
    ) -> Result<Feed, Failure<FeedError>> {
        let feed = self.0.with(|feeds| {
            if feeds.iter().any(|feed| feed.url == url) {
                return Err(FeedError::AlreadySubscribed(url));
            }
            let id = FeedId(u32::try_from(feeds.len()).unwrap_or(u32::MAX));
            let AddOptions { download, number, keep, .. } = options;
            feeds.push(Feed { download, number, keep, ..Feed::new(id, url, folder) });
            Ok(feeds.last().cloned())
        })?;
        Ok(feed.ok_or(Fault::new("the feed was not added"))?)
    }

    async fn remove(&self, _cx: Context<FeedsClientProxy>, id: FeedId) -> Result<(), Failure<FeedError>> {
        let removed = self.0.with(|feeds| feeds.extract_if(.., |feed| feed.id == id).count());
        if removed == 0 { Err(FeedError::NoSuchFeed(id).into()) } else { Ok(()) }
    }
}

/// A call of the server to a client.
#[derive(Debug, PartialEq)]
enum ServerCall {
    Connect(ClientId),
    Log(String),
    Finished(JobId, Path, Option<Path>),
}

struct Browser(Reporter<ServerCall>);

impl ThumbnailerClient for Browser {
    async fn on_connect(&self, _cx: Context<ThumbnailerServerProxy>, id: ClientId) -> Result<(), Fault> {
        self.0.report(ServerCall::Connect(id));
        Ok(())
    }

    async fn on_log(
        &self,
        cx: Context<ThumbnailerServerProxy>,
        message: String,
        arguments: Vec<String>,
    ) -> Result<(), Fault> {
        // A oneway handler has a context like any other.
        cx.peer_information().ok_or(Fault::new("the call has no peer"))?;
        let text = arguments.into_iter().fold(message, |text, next| text.replacen("%s", &next, 1));
        self.0.report(ServerCall::Log(text));
        Ok(())
    }

    async fn on_finished(
        &self,
        _cx: Context<ThumbnailerServerProxy>,
        id: JobId,
        filename: Path,
        image_file: Option<Path>,
    ) -> Result<(), Fault> {
        self.0.report(ServerCall::Finished(id, filename, image_file));
        Ok(())
    }
}

async fn start() -> TestResult<(Pair, Arc<Queue>, ClientId, Reports<ServerCall>)> {
    let queue = Arc::new(Queue::default());
    tokio::spawn(work(Arc::clone(&queue)));
    let (reporter, mut calls) = Reports::of("calls of the server");
    let shared = Arc::clone(&queue);
    let server = server()?
        .register(Thumbnailer::server_with(move |peer| Thumbnails::greet(&shared, peer)))
        .register(Feeds::server(Subscriptions::default()));
    let pair = Pair::over_unix(server, client()?.register(Thumbnailer::client(Browser(reporter)))).await?;
    let first = calls.next().await?;
    let ServerCall::Connect(id) = first else {
        return Err(format!("expected `on_connect` first, got {first:?}").into());
    };
    Ok((pair, queue, id, calls))
}

#[test]
fn urgent_thumbnail_comes_first() -> TestResult {
    run(async {
        let (pair, queue, client, mut calls) = start().await?;
        let thumbnailer: ThumbnailerServerProxy = pair.proxy();
        let [first, second, third, fourth] = [1, 2, 3, 4].map(|job| JobId { client, job });
        let (file, image) = (|name: &str| Path(format!("/films/{name}")), Path::from("/thumbs/image"));
        let low = ScheduleOptions::default().priority(Priority::Low);
        thumbnailer.schedule(first, file("a.txt"), image.clone(), None, low).await?;
        thumbnailer.schedule(second, file("b.avi"), image.clone(), None, <_>::default()).await?;
        let url = Some(Url::from("http://c/cover"));
        thumbnailer.schedule(third, file("c.avi"), image.clone(), url, <_>::default()).await?;
        thumbnailer.set_priority(third, Priority::High).await?;

        let full = thumbnailer.schedule(fourth, file("d"), image.clone(), None, <_>::default()).await;
        assert_eq!(declared(full)?, ThumbnailError::QueueFull { limit: 3 });
        let missing = thumbnailer.set_priority(fourth, Priority::Low).await;
        assert_eq!(declared(missing)?, ThumbnailError::NoSuchJob { job: 4 });
        let unknown_client = JobId { client: ClientId(99), job: 1 };
        let unknown =
            thumbnailer.schedule(unknown_client, file("d"), image.clone(), None, <_>::default()).await;
        assert_eq!(declared(unknown)?, ThumbnailError::UnknownClient(ClientId(99)));

        queue.start.notify_one();
        let log = |source: &str| ServerCall::Log(format!("thumbnail of {source}"));
        assert_eq!(calls.next().await?, log("http://c/cover"));
        assert_eq!(calls.next().await?, ServerCall::Finished(third, file("c.avi"), Some(image.clone())));
        assert_eq!(calls.next().await?, log("/films/b.avi"));
        assert_eq!(calls.next().await?, ServerCall::Finished(second, file("b.avi"), Some(image)));
        assert_eq!(calls.next().await?, log("/films/a.txt"));
        assert_eq!(calls.next().await?, ServerCall::Finished(first, file("a.txt"), None));
        Ok(())
    })
}

#[test]
fn two_services_share_one_connection() -> TestResult {
    run(async {
        let (pair, _queue, _client, _calls) = start().await?;
        let feeds: FeedsServerProxy = pair.proxy();
        let (url, folder) = (Url::from("http://feed"), Path::from("/films"));
        let options = AddOptions::default().number(5).keep(false);
        let feed = feeds.add(url.clone(), folder.clone(), options).await?;
        assert_eq!((feed.download, feed.number, feed.keep, feed.updated), (true, 5, false, None));
        let again = feeds.add(url.clone(), folder.clone(), AddOptions::default()).await;
        assert_eq!(declared(again)?, FeedError::AlreadySubscribed(url));
        let odd = feeds.add("gopher://feed", folder, AddOptions::default()).await?;
        assert_eq!(feeds.list().await?, [feed.clone(), odd.clone()]);
        assert_eq!(feeds.update(feed.id).await?, 5);
        let unreadable = declared(feeds.update(odd.id).await)?;
        assert_eq!(unreadable.to_string(), "gopher://feed cannot be read: no such protocol");
        feeds.remove(feed.id).await?;
        assert_eq!(declared(feeds.remove(feed.id).await)?, FeedError::NoSuchFeed(feed.id));
        assert_eq!(declared(feeds.update(feed.id).await)?, FeedError::NoSuchFeed(feed.id));
        assert_eq!(feeds.list().await?, [odd]);
        Ok(())
    })
}
