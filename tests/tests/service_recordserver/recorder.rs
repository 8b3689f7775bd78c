//! The server: a schedule, favourites and one tuner, in memory.
//!
//! Invariants: every scheduled programme is in the guide; two scheduled programmes never overlap; favourites are
//! sorted by priority.

use std::collections::BTreeMap;

use kaa_rpc_runtime::{Context, Failure, Fault, Timestamp};
use kaa_rpc_tests::api::freevo::common::ChannelId;
use kaa_rpc_tests::api::freevo::recordserver::*;
use kaa_rpc_tests::fixture::Locked;

type Cx = Context<RecordServerClientProxy>;

/// Seconds from the start of one programme to the start of the next.
pub(super) const LENGTH: i64 = 600;

#[derive(Default)]
struct State {
    guide: BTreeMap<Showing, Program>,
    favorites: Vec<Favorite>,
    /// Programmes that favourites do not schedule.
    excluded: Vec<Showing>,
}

/// Its clock stands still during the second programme of each channel.
#[derive(Default)]
pub(super) struct Recorder(Locked<State>);

/// The time of the recorder's clock.
pub(super) fn now() -> Timestamp {
    Timestamp::new(LENGTH + 1, 0).unwrap_or_default()
}

impl Recorder {
    pub(super) fn new(guide: impl IntoIterator<Item = Program>) -> Self {
        let guide = guide.into_iter().map(|program| (program.showing.clone(), program)).collect();
        Self(Locked::new(State { guide, ..State::default() }))
    }
}

fn is_planned(program: &Program) -> bool {
    matches!(program.state, RecordingState::Scheduled | RecordingState::Recording)
}

fn overlap(one: &Program, other: &Program) -> bool {
    one.showing != other.showing && one.showing.start < other.stop && other.showing.start < one.stop
}

fn belongs(favorite: &Favorite, program: &Program) -> bool {
    program.title == favorite.title
        && favorite.channel.as_ref().is_none_or(|channel| *channel == program.showing.channel)
}

impl State {
    fn program(&mut self, showing: &Showing) -> Result<&mut Program, RecordError> {
        let Showing { channel, start } = showing.clone();
        self.guide.get_mut(showing).ok_or(RecordError::NoSuchProgram { channel, start })
    }

    fn planned(&self) -> impl Iterator<Item = &Program> {
        self.guide.values().filter(|program| is_planned(program))
    }

    fn schedule(
        &mut self,
        showing: &Showing,
        favorite: Option<&FavoriteName>,
    ) -> Result<Program, RecordError> {
        let wanted = self.program(showing)?.clone();
        if wanted.stop <= now() {
            return Err(RecordError::Over(wanted.title));
        }
        if let Some(other) = self.planned().find(|other| overlap(&wanted, other)) {
            return Err(RecordError::NoTuner { title: other.title.clone() });
        }
        let program = self.program(showing)?;
        let runs = showing.start <= now();
        program.state = if runs { RecordingState::Recording } else { RecordingState::Scheduled };
        program.favorite = favorite.cloned();
        Ok(program.clone())
    }

    fn favorite(&self, name: &FavoriteName) -> Result<usize, FavoriteError> {
        let position = self.favorites.iter().position(|favorite| favorite.name == *name);
        position.ok_or_else(|| FavoriteError::NoSuchFavorite(name.clone()))
    }

    fn favorite_of(
        &mut self,
        showing: &Showing,
        favorites: &[Favorite],
    ) -> Result<Option<Favorite>, RecordError> {
        let program = self.program(showing)?.clone();
        let own = self.favorites.clone();
        let favorites = if favorites.is_empty() { &own } else { favorites };
        Ok(favorites.iter().find(|favorite| belongs(favorite, &program)).cloned())
    }

    /// Renumbers the priorities after the order of favourites has changed.
    fn renumber(&mut self) {
        for (priority, favorite) in (0..).zip(&mut self.favorites) {
            favorite.priority = priority;
        }
    }

    /// Schedules the programmes of all favourites, in the order of their priorities.
    fn update(&mut self) -> u32 {
        let mut count = 0;
        for favorite in self.favorites.clone() {
            let wanted = |program: &&Program| belongs(&favorite, program) && !is_planned(program);
            let found: Vec<Showing> =
                self.guide.values().filter(wanted).map(|program| program.showing.clone()).collect();
            for showing in found {
                if !self.excluded.contains(&showing) && self.schedule(&showing, Some(&favorite.name)).is_ok()
                {
                    count += 1;
                }
            }
        }
        count
    }
}

impl RecordServerServer for Recorder {
    async fn ping(&self, _cx: Cx) -> Result<bool, Fault> {
        Ok(true)
    }

    async fn is_recording(&self, _cx: Cx) -> Result<bool, Fault> {
        Ok(self.0.with(|state| state.planned().any(|program| program.state == RecordingState::Recording)))
    }

    async fn find_next_program(
        &self,
        _cx: Cx,
        options: FindNextProgramOptions,
    ) -> Result<Option<Program>, Fault> {
        let wanted = if options.recording { RecordingState::Recording } else { RecordingState::Scheduled };
        Ok(self.0.with(|state| {
            let found = state.planned().filter(|program| program.state == wanted);
            found.min_by_key(|program| program.showing.start).cloned()
        }))
    }

    async fn is_player_running(&self, _cx: Cx) -> Result<bool, Fault> {
        Ok(false)
    }

    async fn scheduled_recordings(&self, _cx: Cx) -> Result<Vec<Program>, Fault> {
        Ok(self.0.with(|state| state.planned().cloned().collect()))
    }

    async fn schedule_recording(&self, _cx: Cx, program: Showing) -> Result<Program, Failure<RecordError>> {
        Ok(self.0.with(|state| state.schedule(&program, None))?)
    }

    async fn remove_scheduled_recording(
        &self,
        _cx: Cx,
        program: Showing,
        options: RemoveScheduledRecordingOptions,
    ) -> Result<(), Failure<RecordError>> {
        Ok(self.0.with(|state| {
            let found = state.program(&program)?;
            if !is_planned(found) {
                return Err(RecordError::NotScheduled(found.title.clone()));
            }
            found.state = RecordingState::Unplanned;
            found.favorite = None;
            if options.mark_favorite_deleted {
                state.excluded.push(program);
            }
            Ok(())
        })?)
    }

    async fn is_program_scheduled(
        &self,
        _cx: Cx,
        program: Showing,
        options: IsProgramScheduledOptions,
    ) -> Result<bool, Fault> {
        let is_it = |other: &Program| other.showing == program;
        Ok(match options.schedule.as_slice() {
            [] => self.0.with(|state| state.planned().any(is_it)),
            schedule => schedule.iter().any(is_it),
        })
    }

    async fn conflicts(&self, _cx: Cx, program: Showing) -> Result<Vec<Conflict>, Failure<RecordError>> {
        Ok(self.0.with(|state| {
            let wanted = state.program(&program)?.clone();
            let others = state.planned().filter(|other| overlap(&wanted, other));
            let pairs = others.map(|other| Conflict::new(vec![wanted.clone(), other.clone()], 1));
            Ok::<_, RecordError>(pairs.collect())
        })?)
    }

    async fn find_program(
        &self,
        _cx: Cx,
        channel: ChannelId,
        start: Timestamp,
    ) -> Result<Program, Failure<RecordError>> {
        Ok(self.0.with(|state| state.program(&Showing { channel, start }).cloned())?)
    }

    async fn find_matches(
        &self,
        _cx: Cx,
        find: String,
        options: FindMatchesOptions,
    ) -> Result<Vec<Program>, Fault> {
        let matches =
            |program: &&Program| program.title.contains(&find) && (program.is_movie || !options.movies_only);
        Ok(self.0.with(|state| state.guide.values().filter(matches).cloned().collect()))
    }

    async fn grid(
        &self,
        _cx: Cx,
        start: Timestamp,
        end: Timestamp,
        options: GridOptions,
    ) -> Result<Vec<GridRow>, Fault> {
        let mut rows = BTreeMap::<ChannelId, Vec<Program>>::new();
        self.0.with(|state| {
            for program in state.guide.values().filter(|program| program.showing.start < end) {
                let channel = &program.showing.channel;
                let wanted = options.channels.is_empty() || options.channels.contains(channel);
                if wanted && start < program.stop {
                    rows.entry(channel.clone()).or_default().push(program.clone());
                }
            }
        });
        Ok(rows.into_iter().map(|(channel, programs)| GridRow::new(channel, programs)).collect())
    }

    async fn add_favorite(
        &self,
        _cx: Cx,
        name: FavoriteName,
        program: Showing,
        options: AddFavoriteOptions,
    ) -> Result<Favorite, Failure<FavoriteError>> {
        Ok(self.0.with(|state| {
            if state.favorite(&name).is_ok() {
                return Err(FavoriteError::Exists(name));
            }
            let program = state.program(&program).map_err(FavoriteError::NoProgram)?;
            let mut favorite = Favorite::new(name.clone(), program.title.clone());
            if options.exactly.contains(Exactly::CHANNEL) {
                favorite.channel = Some(program.showing.channel.clone());
            }
            state.favorites.push(favorite);
            state.renumber();
            state.update();
            let position = state.favorite(&name)?;
            state.favorites.get(position).cloned().ok_or(FavoriteError::NoSuchFavorite(name))
        })?)
    }

    async fn add_edited_favorite(&self, _cx: Cx, favorite: Favorite) -> Result<(), Fault> {
        self.0.with(|state| {
            state.favorites.retain(|other| other.name != favorite.name);
            state.favorites.push(favorite);
            state.favorites.sort_by_key(|favorite| favorite.priority);
            state.renumber();
        });
        Ok(())
    }

    async fn remove_favorite(&self, _cx: Cx, name: FavoriteName) -> Result<(), Failure<FavoriteError>> {
        Ok(self.0.with(|state| {
            let position = state.favorite(&name)?;
            state.favorites.remove(position);
            state.renumber();
            Ok::<_, FavoriteError>(())
        })?)
    }

    async fn clear_favorites(&self, _cx: Cx) -> Result<(), Fault> {
        self.0.with(|state| state.favorites.clear());
        Ok(())
    }

    async fn favorites(&self, _cx: Cx) -> Result<Vec<Favorite>, Fault> {
        Ok(self.0.with(|state| state.favorites.clone()))
    }

    async fn favorite(&self, _cx: Cx, name: FavoriteName) -> Result<Favorite, Failure<FavoriteError>> {
        let found =
            self.0.with(|state| state.favorites.iter().find(|favorite| favorite.name == name).cloned());
        Ok(found.ok_or(FavoriteError::NoSuchFavorite(name))?)
    }

    async fn adjust_priority(
        &self,
        _cx: Cx,
        name: FavoriteName,
        shift: Shift,
    ) -> Result<(), Failure<FavoriteError>> {
        Ok(self.0.with(|state| {
            let position = state.favorite(&name)?;
            let target = match shift {
                Shift::Up => position.checked_sub(1),
                Shift::Down => Some(position + 1).filter(|target| *target < state.favorites.len()),
            };
            state.favorites.swap(position, target.ok_or(FavoriteError::AtTheEnd(name))?);
            state.renumber();
            Ok::<_, FavoriteError>(())
        })?)
    }

    async fn favorite_of_program(
        &self,
        _cx: Cx,
        program: Showing,
        options: FavoriteObjectOptions,
    ) -> Result<Option<Favorite>, Failure<RecordError>> {
        Ok(self.0.with(|state| state.favorite_of(&program, &options.favorites))?)
    }

    async fn is_program_a_favorite(
        &self,
        _cx: Cx,
        program: Showing,
        options: IsProgramAFavoriteOptions,
    ) -> Result<bool, Failure<RecordError>> {
        Ok(self.0.with(|state| state.favorite_of(&program, &options.favorites))?.is_some())
    }

    async fn remove_favorite_from_schedule(
        &self,
        _cx: Cx,
        favorite: FavoriteName,
    ) -> Result<u32, Failure<FavoriteError>> {
        Ok(self.0.with(|state| {
            state.favorite(&favorite)?;
            let mut count = 0;
            let scheduled_by_it = |program: &&mut Program| program.favorite.as_ref() == Some(&favorite);
            for program in state.guide.values_mut().filter(scheduled_by_it) {
                program.state = RecordingState::Unplanned;
                program.favorite = None;
                count += 1;
            }
            Ok::<_, FavoriteError>(count)
        })?)
    }

    async fn update_favorites_schedule(&self, _cx: Cx) -> Result<u32, Fault> {
        Ok(self.0.with(State::update))
    }
}
