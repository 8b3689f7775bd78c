//! The encoder `kaa/freevo/encodingserver.kaa`: a whole job over a unix socket, and every declared error.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use kaa_rpc_runtime::{Context, Failure, Fault, IntoFault};
use kaa_rpc_tests::api::freevo::common::Path;
use kaa_rpc_tests::api::freevo::encodingserver::*;
use kaa_rpc_tests::fixture::{Locked, Pair, TestResult, client, declared, run, server};

type Answer<T = ()> = Result<T, Failure<EncodingError>>;
type Cx = Context<EncodingServerClientProxy>;

/// A job with the settings that clients do not see.
#[derive(Clone)]
struct Draft {
    job: Job,
    container: Option<Container>,
    video: Option<VideoSettings>,
    /// How often the crop area was requested; it is found at the second request.
    crop_requests: u8,
}

#[derive(Default)]
struct Jobs {
    drafts: BTreeMap<JobId, Draft>,
    queue: VecDeque<JobId>,
    current: Option<JobId>,
}

impl Jobs {
    fn draft(&mut self, id: JobId) -> Result<&mut Draft, EncodingError> {
        self.drafts.get_mut(&id).ok_or(EncodingError::NoSuchJob(id))
    }

    /// A job that can still be changed.
    fn open(&mut self, id: JobId) -> Result<&mut Draft, EncodingError> {
        let draft = self.draft(id)?;
        if draft.job.state == JobState::NotSet { Ok(draft) } else { Err(EncodingError::Queued) }
    }

    fn start(&mut self) -> Result<(), EncodingError> {
        let id = self.queue.pop_front().ok_or(EncodingError::NothingQueued)?;
        let draft = self.draft(id)?;
        let mut progress = Progress::new(id, draft.job.friendly_name.clone());
        progress.passes = if draft.video.as_ref().is_some_and(|video| video.two_passes) { 2 } else { 1 };
        progress.remaining = Some(Duration::from_secs(90));
        draft.job.state = JobState::Encoding(progress);
        self.current = Some(id);
        Ok(())
    }
}

#[derive(Default)]
struct Encoder(Locked<Jobs>);

impl Encoder {
    /// Changes a job that can still be changed.
    fn set(&self, id: JobId, change: impl FnOnce(&mut Draft) -> Result<(), EncodingError>) -> Answer {
        self.0.with(|jobs| {
            change(jobs.open(id)?)?;
            Ok(())
        })
    }
}

impl EncodingServerServer for Encoder {
    async fn ping(&self, _cx: Cx) -> Result<bool, Fault> {
        Ok(true)
    }

    async fn containers(&self, _cx: Cx) -> Result<Vec<Container>, Fault> {
        Ok(vec![Container::Avi, Container::Mkv])
    }

    async fn video_codecs(&self, _cx: Cx) -> Result<Vec<VideoCodec>, Fault> {
        Ok(vec![VideoCodec::Xvid, VideoCodec::H264, VideoCodec::Copy])
    }

    async fn audio_codecs(&self, _cx: Cx) -> Result<Vec<AudioCodec>, Fault> {
        Ok(vec![AudioCodec::Mp3, AudioCodec::Vorbis])
    }

    async fn video_filters(&self, _cx: Cx) -> Result<Vec<VideoFilter>, Fault> {
        Ok(vec![VideoFilter::Deinterlace { strength: 1 }, VideoFilter::InverseTelecine])
    }

    async fn begin_job(
        &self,
        _cx: Cx,
        source: Path,
        output: Path,
        options: BeginJobOptions,
    ) -> Answer<JobId> {
        let readable = tokio::fs::try_exists(&source.0).await.fault()?;
        if !readable {
            return Err(EncodingError::Unreadable(source).into());
        }
        Ok(self.0.with(|jobs| {
            let id = JobId(u64::try_from(jobs.drafts.len()).unwrap_or(u64::MAX) + 1);
            let named = if options.friendly_name.is_empty() { output.0 } else { options.friendly_name };
            let job = Job::new(id, named, JobState::NotSet);
            let draft = Draft { job, container: None, video: None, crop_requests: 0 };
            jobs.drafts.insert(id, draft);
            id
        }))
    }

    async fn wait_crop_detect(&self, _cx: Cx, job: JobId) -> Answer<Area> {
        self.0.with(|jobs| {
            let draft = jobs.draft(job)?;
            draft.crop_requests += 1;
            if draft.crop_requests < 2 {
                return Err(EncodingError::StillLooking.into());
            }
            Ok(Area { left: 0, top: 72, size: Size { width: 720, height: 432 } })
        })
    }

    async fn set_container(&self, _cx: Cx, job: JobId, container: Container) -> Answer {
        self.set(job, |draft| {
            draft.container = Some(container);
            Ok(())
        })
    }

    async fn set_video_codec(&self, _cx: Cx, job: JobId, video: VideoSettings) -> Answer {
        self.set(job, |draft| {
            if draft.container == Some(Container::Avi) && video.codec == VideoCodec::H264 {
                return Err(EncodingError::DoesNotFit { what: "H264".to_owned() });
            }
            draft.video = Some(video);
            Ok(())
        })
    }

    async fn set_audio_codec(
        &self,
        _cx: Cx,
        job: JobId,
        codec: AudioCodec,
        options: SetAudioCodecOptions,
    ) -> Answer {
        self.set(job, |draft| match draft.container {
            Some(Container::Avi) if codec == AudioCodec::Vorbis => {
                Err(EncodingError::DoesNotFit { what: format!("Vorbis at {} kbit/s", options.bitrate) })
            }
            _ => Ok(()),
        })
    }

    async fn set_video_filters(&self, _cx: Cx, job: JobId, filters: Vec<VideoFilter>) -> Answer {
        self.set(job, |_| match filters.iter().find(|filter| matches!(filter, VideoFilter::Denoise(_))) {
            Some(filter) => Err(EncodingError::DoesNotFit { what: format!("{filter:?}") }),
            None => Ok(()),
        })
    }

    async fn set_timeslice(&self, _cx: Cx, job: JobId, slice: Timeslice) -> Answer {
        self.set(job, |_| match slice.length.is_zero() {
            true => Err(EncodingError::Incomplete { missing: "a length".to_owned() }),
            false => Ok(()),
        })
    }

    async fn set_video_resolution(&self, _cx: Cx, job: JobId, size: Size) -> Answer {
        self.set(job, |_| match size.width % 16 {
            0 => Ok(()),
            _ => Err(EncodingError::DoesNotFit { what: format!("a width of {}", size.width) }),
        })
    }

    async fn set_number_of_threads(&self, _cx: Cx, job: JobId, threads: u8) -> Answer {
        self.set(job, |_| match threads {
            0 => Err(EncodingError::Incomplete { missing: "a thread".to_owned() }),
            _ => Ok(()),
        })
    }

    async fn jobs(&self, _cx: Cx) -> Result<Vec<Job>, Fault> {
        Ok(self.0.with(|jobs| jobs.drafts.values().map(|draft| draft.job.clone()).collect()))
    }

    async fn queue(&self, _cx: Cx, job: JobId, options: QueueOptions) -> Answer {
        self.0.with(|jobs| {
            let draft = jobs.open(job)?;
            let missing = [("a container", draft.container.is_none()), ("a picture", draft.video.is_none())];
            if let Some((missing, _)) = missing.into_iter().find(|(_, missing)| *missing) {
                return Err(EncodingError::Incomplete { missing: missing.to_owned() }.into());
            }
            draft.job.state = JobState::Queued;
            jobs.queue.push_back(job);
            if options.now { Ok(jobs.start()?) } else { Ok(()) }
        })
    }

    async fn start_queue(&self, _cx: Cx) -> Answer {
        Ok(self.0.with(Jobs::start)?)
    }

    /// Each call advances the job by half of a pass.
    async fn progress(&self, _cx: Cx) -> Answer<Progress> {
        self.0.with(|jobs| {
            let current = jobs.current.ok_or(EncodingError::Idle)?;
            let draft = jobs.draft(current)?;
            let JobState::Encoding(progress) = &mut draft.job.state else {
                return Err(EncodingError::Idle.into());
            };
            progress.percent += 50;
            let reported = progress.clone();
            if progress.percent == 100 && progress.pass == progress.passes {
                draft.job.state = JobState::Done;
            } else if progress.percent == 100 {
                (progress.pass, progress.percent) = (progress.pass + 1, 0);
            }
            Ok(reported)
        })
    }
}

async fn start() -> TestResult<(Pair, EncodingServerServerProxy, tempfile::NamedTempFile)> {
    let pair =
        Pair::over_unix(server()?.register(EncodingServer::server(Encoder::default())), client()?).await?;
    let encoder = pair.proxy();
    Ok((pair, encoder, tempfile::NamedTempFile::new()?))
}

async fn begin(encoder: &EncodingServerServerProxy, source: &tempfile::NamedTempFile) -> TestResult<JobId> {
    let source = Path(source.path().display().to_string());
    let options = BeginJobOptions::default().friendly_name("Film").chapter(3).remove_source(true);
    Ok(encoder.begin_job(source, "/films/film.mkv", options).await?)
}

fn xvid() -> VideoSettings {
    let mut video = VideoSettings::new(VideoCodec::Xvid, Rate::TargetSize(700));
    video.two_passes = true;
    video
}

#[test]
fn server_lists_its_formats() -> TestResult {
    run(async {
        let (_pair, encoder, _) = start().await?;
        assert!(encoder.ping().await?);
        assert_eq!(encoder.containers().await?, [Container::Avi, Container::Mkv]);
        assert_eq!(encoder.video_codecs().await?, [VideoCodec::Xvid, VideoCodec::H264, VideoCodec::Copy]);
        assert_eq!(encoder.audio_codecs().await?, [AudioCodec::Mp3, AudioCodec::Vorbis]);
        let filters = encoder.video_filters().await?;
        assert_eq!(filters, [VideoFilter::Deinterlace { strength: 1 }, VideoFilter::InverseTelecine]);
        Ok(())
    })
}

#[test]
fn job_runs_from_source_to_done() -> TestResult {
    run(async {
        let (_pair, encoder, source) = start().await?;
        let job = begin(&encoder, &source).await?;
        assert_eq!(declared(encoder.wait_crop_detect(job).await)?, EncodingError::StillLooking);
        let area = encoder.wait_crop_detect(job).await?;
        assert_eq!(area, Area { left: 0, top: 72, size: Size { width: 720, height: 432 } });
        encoder.set_container(job, Container::Mkv).await?;
        encoder.set_video_codec(job, xvid()).await?;
        encoder.set_audio_codec(job, AudioCodec::Vorbis, SetAudioCodecOptions::default()).await?;
        encoder.set_video_filters(job, vec![VideoFilter::Crop(area)]).await?;
        let slice = Timeslice { start: Duration::from_secs(60), length: Duration::from_millis(500) };
        encoder.set_timeslice(job, slice).await?;
        encoder.set_video_resolution(job, Size { width: 640, height: 384 }).await?;
        encoder.set_number_of_threads(job, 2).await?;
        encoder.queue(job, QueueOptions::default()).await?;
        assert_eq!(encoder.jobs().await?, [Job::new(job, "Film", JobState::Queued)]);
        assert_eq!(declared(encoder.progress().await)?, EncodingError::Idle);

        encoder.start_queue().await?;
        let mut passed = Vec::new();
        for _ in 0..4 {
            let progress = encoder.progress().await?;
            assert_eq!((progress.friendly_name.as_str(), progress.passes), ("Film", 2));
            passed.push((progress.pass, progress.percent));
        }
        assert_eq!(passed, [(1, 50), (1, 100), (2, 50), (2, 100)]);
        assert_eq!(encoder.jobs().await?, [Job::new(job, "Film", JobState::Done)]);
        assert_eq!(declared(encoder.progress().await)?, EncodingError::Idle);
        Ok(())
    })
}

#[test]
fn every_mistake_has_a_declared_error() -> TestResult {
    run(async {
        let (_pair, encoder, source) = start().await?;
        let missing = encoder.begin_job("/no/film", "/x", BeginJobOptions::default()).await;
        assert_eq!(declared(missing)?.to_string(), "the source /no/film cannot be read");
        let job = begin(&encoder, &source).await?;
        let incomplete = |what: &str| EncodingError::Incomplete { missing: what.to_owned() };
        let misfit = |what: &str| EncodingError::DoesNotFit { what: what.to_owned() };
        let now = || QueueOptions::default().now(true);
        assert_eq!(declared(encoder.queue(job, now()).await)?, incomplete("a container"));
        encoder.set_container(job, Container::Avi).await?;
        assert_eq!(declared(encoder.queue(job, now()).await)?, incomplete("a picture"));
        let h264 = VideoSettings { codec: VideoCodec::H264, ..xvid() };
        assert_eq!(declared(encoder.set_video_codec(job, h264).await)?, misfit("H264"));
        let vorbis = SetAudioCodecOptions::default().bitrate(64);
        let vorbis = encoder.set_audio_codec(job, AudioCodec::Vorbis, vorbis).await;
        assert_eq!(declared(vorbis)?, misfit("Vorbis at 64 kbit/s"));
        let denoise = encoder.set_video_filters(job, vec![VideoFilter::Denoise(0.5)]).await;
        assert_eq!(declared(denoise)?, misfit("Denoise(0.5)"));
        let nothing = Timeslice { start: Duration::ZERO, length: Duration::ZERO };
        assert_eq!(declared(encoder.set_timeslice(job, nothing).await)?, incomplete("a length"));
        let odd = encoder.set_video_resolution(job, Size { width: 641, height: 1 }).await;
        assert_eq!(declared(odd)?, misfit("a width of 641"));
        assert_eq!(declared(encoder.set_number_of_threads(job, 0).await)?, incomplete("a thread"));
        assert_eq!(declared(encoder.start_queue().await)?, EncodingError::NothingQueued);
        encoder.set_video_codec(job, xvid()).await?;
        encoder.queue(job, now()).await?;
        assert_eq!(declared(encoder.set_container(job, Container::Avi).await)?, EncodingError::Queued);
        let unknown = JobId(99);
        assert_eq!(declared(encoder.wait_crop_detect(unknown).await)?, EncodingError::NoSuchJob(unknown));
        Ok(())
    })
}
