//! The programme guide `kaa/epg.kaa`: every call over TCP, and the updates that the server pushes.

use std::collections::BTreeSet;
use std::sync::Arc;

use kaa_rpc_runtime::{Context, Failure, Fault, Timestamp};
use kaa_rpc_tests::api::epg::*;
use kaa_rpc_tests::fixture::{
    Locked, Pair, Reporter, Reports, TestResult, client, declared, run, server, within,
};
use tokio::sync::Notify;

/// The content of the guide, and the source of its updates: each update takes one list of programmes.
struct Content {
    channels: Vec<Channel>,
    programs: Locked<Vec<Program>>,
    source: Locked<Vec<Vec<Program>>>,
    updating: tokio::sync::Mutex<()>,
    /// Reports each update that has started.
    started: Reporter<()>,
    /// An update waits for this before it ends.
    finish: Arc<Notify>,
}

/// The guide, as one connection uses it.
struct Guide(Arc<Content>);

impl Guide {
    /// Synchronizes a client that has connected.
    fn greet(content: &Arc<Content>, client: EpgClientProxy) -> Self {
        let guide = Self(Arc::clone(content));
        let greeting = Self(Arc::clone(content));
        tokio::spawn(async move { greeting.sync(&client).await });
        guide
    }

    async fn sync(&self, client: &EpgClientProxy) -> Result<u32, Fault> {
        let count = u32::try_from(self.0.programs.with(|programs| programs.len()))?;
        client.on_sync(self.0.channels.clone(), count).await?;
        Ok(count)
    }

    fn words<'p>(
        programs: &'p [Program],
        of: impl Fn(&'p Program) -> &'p BTreeSet<String>,
        associated: &BTreeSet<String>,
        prefix: &str,
    ) -> Vec<String> {
        let words = programs.iter().map(of).filter(|words| associated.is_subset(words)).flatten();
        let words: BTreeSet<String> = words.filter(|word| word.starts_with(prefix)).cloned().collect();
        words.difference(associated).cloned().collect()
    }
}

impl EpgServer for Guide {
    async fn search(
        &self,
        _cx: Context<EpgClientProxy>,
        options: SearchOptions,
    ) -> Result<Vec<Program>, Failure<SearchError>> {
        let SearchOptions { channels, when, title, keywords, genres, columns, limit, .. } = options;
        let known: BTreeSet<ChannelId> = self.0.channels.iter().map(|channel| channel.id).collect();
        if let Some(unknown) = channels.difference(&known).next() {
            return Err(SearchError::NoSuchChannel(*unknown).into());
        }
        if matches!(&when, When::During(range) if range.stop < range.start) {
            return Err(SearchError::Backwards.into());
        }
        let matches = |program: &&Program| {
            let on_air = match &when {
                When::During(range) => program.when.start < range.stop && range.start < program.when.stop,
                When::At(time) => program.when.start <= *time && *time < program.when.stop,
                _ => true,
            };
            on_air
                && (channels.is_empty() || channels.contains(&program.channel))
                && program.title.contains(&title)
                && keywords.is_subset(&program.keywords)
                && genres.is_subset(&program.genres)
        };
        let mut found: Vec<Program> =
            self.0.programs.with(|programs| programs.iter().filter(matches).cloned().collect());
        let count = u32::try_from(found.len()).unwrap_or(u32::MAX);
        if count > limit {
            return Err(SearchError::TooMany { found: count, limit }.into());
        }
        if !columns.is_empty() && !columns.contains(&Column::Description) {
            found.iter_mut().for_each(|program| program.description.clear());
        }
        Ok(found)
    }

    async fn get_keywords(
        &self,
        _cx: Context<EpgClientProxy>,
        options: KeywordOptions,
    ) -> Result<Vec<String>, Fault> {
        let KeywordOptions { associated, prefix, .. } = options;
        Ok(self
            .0
            .programs
            .with(|programs| Self::words(programs, |program| &program.keywords, &associated, &prefix)))
    }

    async fn get_genres(
        &self,
        _cx: Context<EpgClientProxy>,
        options: GenreOptions,
    ) -> Result<Vec<String>, Fault> {
        let GenreOptions { associated, prefix, .. } = options;
        Ok(self
            .0
            .programs
            .with(|programs| Self::words(programs, |program| &program.genres, &associated, &prefix)))
    }

    async fn update(&self, cx: Context<EpgClientProxy>) -> Result<u32, Failure<UpdateError>> {
        let Ok(_running) = self.0.updating.try_lock() else { return Err(UpdateError::Running.into()) };
        self.0.started.report(());
        self.0.finish.notified().await;
        let more = self.0.source.with(|source| source.pop()).ok_or_else(|| UpdateError::Unreadable {
            source: "listings.xml".to_owned(),
            reason: "no such file".to_owned(),
        })?;
        self.0.programs.with(|programs| programs.extend(more));
        Ok(self.sync(&cx.peer).await?)
    }
}

struct Television(Reporter<(Vec<Channel>, u32)>);

impl EpgClient for Television {
    async fn on_sync(
        &self,
        _cx: Context<EpgServerProxy>,
        channels: Vec<Channel>,
        programs: u32,
    ) -> Result<(), Fault> {
        self.0.report((channels, programs));
        Ok(())
    }
}

fn at(second: i64) -> Timestamp {
    Timestamp::new(second, 0).unwrap_or_default()
}

fn program(id: u64, channel: u32, start: i64, title: &str, genre: &str, keywords: &[&str]) -> Program {
    let when = TimeRange { start: at(start), stop: at(start + 60) };
    let mut program = Program::new(ProgramId(id), ChannelId(channel), when, title);
    program.description = format!("All about {title}");
    program.genres = [genre.to_owned()].into();
    program.keywords = keywords.iter().map(|word| (*word).to_owned()).collect();
    program.marks = Marks::LIVE | Marks::HIGH_DEFINITION;
    program.score = Some(7.5);
    program
}

struct Running {
    /// Keeps the connection open.
    _pair: Pair,
    epg: EpgServerProxy,
    syncs: Reports<(Vec<Channel>, u32)>,
    updates: Reports<()>,
    finish_update: Arc<Notify>,
}

/// A guide of two channels with three programmes, and one more programme in its source.
async fn start() -> TestResult<Running> {
    let channels = [(1, "One"), (2, "Two")];
    let channels = channels.map(|(id, name)| Channel::new(ChannelId(id), vec![format!("T{id}")], name));
    let programs = vec![
        program(1, 1, 0, "News", "information", &["world", "weather"]),
        program(2, 1, 60, "Metropolis", "film", &["silent", "city"]),
        program(3, 2, 30, "Nosferatu", "film", &["silent", "horror", "world"]),
    ];
    let (started, updates) = Reports::of("started updates");
    let finish_update = Arc::new(Notify::new());
    let content = Arc::new(Content {
        channels: channels.to_vec(),
        programs: Locked::new(programs),
        source: Locked::new(vec![vec![program(4, 2, 90, "Late News", "information", &[])]]),
        updating: tokio::sync::Mutex::new(()),
        started,
        finish: Arc::clone(&finish_update),
    });
    let (reporter, mut syncs) = Reports::of("calls of `on_sync`");
    let pair = Pair::over_tcp(
        server()?.register(Epg::server_with(move |peer| Guide::greet(&content, peer))),
        client()?.register(Epg::client(Television(reporter))),
    )
    .await?;
    assert_eq!(syncs.next().await?, (channels.to_vec(), 3), "a new client is synchronized");
    Ok(Running { epg: pair.proxy(), _pair: pair, syncs, updates, finish_update })
}

#[test]
fn search_finds_programmes_by_channel_time_and_words() -> TestResult {
    run(async {
        let Running { epg, _pair, .. } = start().await?;
        let search = async |options: SearchOptions| -> TestResult<Vec<u64>> {
            Ok(epg.search(options).await?.into_iter().map(|program| program.id.0).collect())
        };
        let all = SearchOptions::default;
        assert_eq!(all().limit, MAX_PROGRAMS);
        assert_eq!(search(all()).await?, [1, 2, 3]);
        assert_eq!(search(all().channels([ChannelId(1)].into())).await?, [1, 2]);
        assert_eq!(search(all().when(When::At(at(59)))).await?, [1, 3]);
        let range = TimeRange { start: at(90), stop: at(200) };
        assert_eq!(search(all().when(When::During(range))).await?, [2]);
        assert_eq!(search(all().title("o")).await?, [2, 3]);
        let silent = ["silent".to_owned()];
        assert_eq!(search(all().keywords(silent.into()).channels([ChannelId(2)].into())).await?, [3]);
        assert_eq!(search(all().genres(["information".to_owned()].into())).await?, [1]);

        let found = epg.search(all().title("News").columns(vec![Column::Title])).await?;
        let mut expected = program(1, 1, 0, "News", "information", &["world", "weather"]);
        assert_ne!(found, [expected.clone()], "the description was not asked for");
        expected.description.clear();
        assert_eq!(found, [expected]);
        Ok(())
    })
}

#[test]
fn invalid_searches_return_declared_errors() -> TestResult {
    run(async {
        let Running { epg, _pair, .. } = start().await?;
        let fails = async |options| declared(epg.search(options).await);
        let all = SearchOptions::default;
        let nowhere = SearchError::NoSuchChannel(ChannelId(9));
        assert_eq!(fails(all().channels([ChannelId(9)].into())).await?, nowhere);
        let backwards = TimeRange { start: at(2), stop: at(1) };
        assert_eq!(fails(all().when(When::During(backwards))).await?, SearchError::Backwards);
        assert_eq!(fails(all().limit(2)).await?, SearchError::TooMany { found: 3, limit: 2 });
        Ok(())
    })
}

#[test]
fn keywords_and_genres_are_completed() -> TestResult {
    run(async {
        let Running { epg, _pair, .. } = start().await?;
        let silent = || ["silent".to_owned()].into();
        assert_eq!(epg.get_keywords(KeywordOptions::default().prefix("w")).await?, ["weather", "world"]);
        let associated = KeywordOptions::default().associated(silent());
        assert_eq!(epg.get_keywords(associated).await?, ["city", "horror", "world"]);
        assert_eq!(epg.get_genres(GenreOptions::default()).await?, ["film", "information"]);
        assert_eq!(epg.get_genres(GenreOptions::default().prefix("f")).await?, ["film"]);
        Ok(())
    })
}

#[test]
fn update_is_pushed_to_the_client_and_runs_alone() -> TestResult {
    run(async {
        let Running { epg, mut syncs, mut updates, finish_update, _pair } = start().await?;
        let updating = tokio::spawn(epg.update());
        updates.next().await?;
        assert_eq!(declared(epg.update().await)?, UpdateError::Running);
        finish_update.notify_one();
        assert_eq!(within("the update to end", updating).await??, 4);
        assert_eq!(syncs.next().await?.1, 4);
        finish_update.notify_one();
        let unreadable = declared(epg.update().await)?;
        assert_eq!(unreadable.to_string(), "listings.xml cannot be read: no such file");
        Ok(())
    })
}
