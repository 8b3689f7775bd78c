//! The screen `kaa/candy.kaa`: batches of changes over a unix socket, and calls back to the program.

use std::collections::BTreeMap;
use std::time::Duration;

use kaa_rpc_runtime::{CallError, Context, Failure, Fault};
use kaa_rpc_tests::api::candy::*;
use kaa_rpc_tests::fixture::{Locked, Pair, Reporter, Reports, TestResult, client, declared, run, server};

#[derive(Clone)]
struct Widget {
    class: WidgetClass,
    parent: Option<WidgetId>,
    properties: Properties,
}

/// The widgets. `press` on a button calls the program back, and `play` on a player reports its progress.
#[derive(Default)]
struct Screen(Locked<Scene>);

#[derive(Clone, Default)]
struct Scene {
    widgets: BTreeMap<WidgetId, Widget>,
    /// Calls to widgets, in order.
    calls: Vec<WidgetCall>,
}

#[derive(Clone)]
struct WidgetCall {
    id: WidgetId,
    function: String,
    arguments: Vec<Value>,
    named: Properties,
}

impl Scene {
    fn widget(&mut self, task: u32, id: WidgetId) -> Result<&mut Widget, SyncError> {
        self.widgets.get_mut(&id).ok_or(SyncError::NoSuchWidget { task, widget: id })
    }

    fn apply(&mut self, number: u32, task: Task) -> Result<(), SyncError> {
        match task {
            Task::Add { widget, class, parent, properties } => {
                if !["group", "text", "button", "player"].contains(&class.0.as_str()) {
                    return Err(SyncError::NoSuchClass { task: number, class });
                }
                parent.map(|parent| self.widget(number, parent).map(|_| ())).transpose()?;
                if self.widgets.insert(widget, Widget { class, parent, properties }).is_some() {
                    return Err(SyncError::Exists { task: number, widget });
                }
            }
            Task::Call { widget, function, arguments, named } => {
                self.widget(number, widget)?;
                self.calls.push(WidgetCall { id: widget, function, arguments, named });
            }
            Task::Reparent { widget, parent } => {
                let mut ancestor = parent;
                while let Some(id) = ancestor {
                    if id == widget {
                        return Err(SyncError::Circle { task: number, widget });
                    }
                    ancestor = self.widget(number, id)?.parent;
                }
                self.widget(number, widget)?.parent = parent;
            }
            Task::Update { widget, properties } => {
                self.widget(number, widget)?.properties.extend(properties);
            }
            Task::Delete(widget) => {
                self.widget(number, widget)?;
                self.widgets.retain(|id, other| *id != widget && other.parent != Some(widget));
            }
            // A task of a newer program is ignored.
            Task::Unknown(_) => {}
        }
        Ok(())
    }
}

impl Screen {
    /// Runs a call of a widget.
    async fn act(&self, program: &CandyClientProxy, widget: &Widget, call: WidgetCall) -> Result<(), Fault> {
        let WidgetCall { id, function, arguments, named } = call;
        match (widget.class.0.as_str(), function.as_str()) {
            ("button", "press") => {
                let options = OnWidgetCallOptions::default().arguments(arguments).named(named);
                let label = program.on_widget_call(id, "pressed", options).await?;
                let label = [("label".to_owned(), label)];
                self.0.with(|scene| scene.widget(0, id).map(|widget| widget.properties.extend(label)))?;
            }
            ("player", "play") => {
                let position = PlayerEvent::Position(Duration::from_millis(40));
                let events = match widget.properties.get("file") {
                    Some(Value::Text(_)) => vec![PlayerEvent::Started, position, PlayerEvent::Finished],
                    _ => vec![PlayerEvent::Failed("no file".to_owned())],
                };
                for event in events {
                    program.on_player_event(id, event).await?;
                }
            }
            ("text", "type") => {
                for argument in arguments {
                    let Value::Text(text) = argument else { return Err(Fault::new("only text is typed")) };
                    for character in text.chars() {
                        program.on_key_press(Key::Character(character)).await?;
                    }
                }
                program.on_key_press(Key::Named("Return".to_owned())).await?;
            }
            (class, function) => return Err(Fault::new(format!("a {class} cannot {function}"))),
        }
        Ok(())
    }
}

impl CandyServer for Screen {
    async fn sync(&self, cx: Context<CandyClientProxy>, tasks: Vec<Task>) -> Result<(), Failure<SyncError>> {
        let calls = self.0.with(|scene| {
            let mut next = scene.clone();
            for (number, task) in (0..).zip(tasks) {
                next.apply(number, task)?;
            }
            *scene = next;
            let calls = std::mem::take(&mut scene.calls);
            let called = calls.into_iter().map(|call| (scene.widgets.get(&call.id).cloned(), call));
            Ok::<_, SyncError>(called.collect::<Vec<_>>())
        })?;
        for (widget, call) in calls {
            // A widget that is deleted after its call does nothing.
            if let Some(widget) = widget {
                self.act(&cx.peer, &widget, call).await?;
            }
        }
        Ok(())
    }
}

/// A call of the server to the program.
#[derive(Debug, PartialEq)]
enum ServerCall {
    Key(Key),
    Widget(WidgetId, String, Vec<Value>, Properties),
    Player(WidgetId, PlayerEvent),
}

/// The program, which counts how often its button is pressed.
struct Program {
    pressed: Locked<i64>,
    reporter: Reporter<ServerCall>,
}

impl CandyClient for Program {
    async fn on_key_press(&self, _cx: Context<CandyServerProxy>, key: Key) -> Result<(), Fault> {
        self.reporter.report(ServerCall::Key(key));
        Ok(())
    }

    async fn on_widget_call(
        &self,
        _cx: Context<CandyServerProxy>,
        widget: WidgetId,
        function: String,
        options: OnWidgetCallOptions,
    ) -> Result<Value, Fault> {
        self.reporter.report(ServerCall::Widget(widget, function, options.arguments, options.named));
        Ok(Value::Number(self.pressed.with(|pressed| {
            *pressed += 1;
            *pressed
        })))
    }

    async fn on_player_event(
        &self,
        _cx: Context<CandyServerProxy>,
        player: WidgetId,
        event: PlayerEvent,
    ) -> Result<(), Fault> {
        self.reporter.report(ServerCall::Player(player, event));
        Ok(())
    }
}

async fn start() -> TestResult<(Pair, CandyServerProxy, Reports<ServerCall>)> {
    let (reporter, calls) = Reports::of("calls of the server");
    let program = Program { pressed: Locked::new(0), reporter };
    let pair = Pair::over_unix(
        server()?.register(Candy::server(Screen::default())),
        client()?.register(Candy::client(program)),
    )
    .await?;
    let candy = pair.proxy();
    Ok((pair, candy, calls))
}

fn add(widget: u32, class: &str, parent: Option<u32>, properties: Properties) -> Task {
    Task::Add { widget: WidgetId(widget), class: class.into(), parent: parent.map(WidgetId), properties }
}

fn call(widget: u32, function: &str, arguments: Vec<Value>) -> Task {
    let named = [("when".to_owned(), Value::Nothing)].into();
    Task::Call { widget: WidgetId(widget), function: function.to_owned(), arguments, named }
}

#[test]
fn batch_is_applied_completely_or_not_at_all() -> TestResult {
    run(async {
        let (_pair, candy, _calls) = start().await?;
        let color = Value::Color(Color { red: 1, green: 2, blue: 3, alpha: 255 });
        let deep = Value::List(vec![color, Value::Named([("x".to_owned(), Value::Real(0.5))].into())]);
        let tasks = vec![
            add(1, "group", None, Properties::default()),
            add(2, "group", Some(1), [("fill".to_owned(), deep)].into()),
            add(3, "text", Some(2), [("text".to_owned(), Value::Text("hello".to_owned()))].into()),
            Task::Update { widget: WidgetId(3), properties: [("bold".to_owned(), Value::Flag(true))].into() },
            Task::Reparent { widget: WidgetId(3), parent: Some(WidgetId(1)) },
        ];
        candy.sync(tasks).await?;
        // Widget 1 contains widget 2, so it cannot move into it: the batch fails, and widget 4 is not added.
        let circle = vec![
            add(4, "text", None, Properties::default()),
            Task::Reparent { widget: WidgetId(1), parent: Some(WidgetId(2)) },
        ];
        let error = declared(candy.sync(circle).await)?;
        assert_eq!(error, SyncError::Circle { task: 1, widget: WidgetId(1) });
        let error = declared(candy.sync(vec![Task::Delete(WidgetId(4))]).await)?;
        assert_eq!(error, SyncError::NoSuchWidget { task: 0, widget: WidgetId(4) });
        let error = declared(candy.sync(vec![add(3, "text", None, Properties::default())]).await)?;
        assert_eq!(error, SyncError::Exists { task: 0, widget: WidgetId(3) });
        let error = declared(candy.sync(vec![add(5, "clock", None, Properties::default())]).await)?;
        assert_eq!(error.to_string(), "no artist can draw a clock");
        candy.sync(vec![Task::Delete(WidgetId(2)), Task::Delete(WidgetId(3))]).await?;
        Ok(())
    })
}

#[test]
fn widgets_keys_and_players_call_the_program() -> TestResult {
    run(async {
        let (_pair, candy, mut calls) = start().await?;
        let file = [("file".to_owned(), Value::Text("film".to_owned()))].into();
        candy
            .sync(vec![
                add(1, "button", None, Properties::default()),
                add(2, "text", None, Properties::default()),
                add(3, "player", None, file),
                add(4, "player", None, Properties::default()),
                call(1, "press", vec![Value::Number(3), Value::Widget(WidgetId(2))]),
                call(2, "type", vec![Value::Text("ö".to_owned())]),
                call(3, "play", vec![]),
                call(4, "play", vec![]),
            ])
            .await?;
        let arguments = vec![Value::Number(3), Value::Widget(WidgetId(2))];
        let named = [("when".to_owned(), Value::Nothing)].into();
        assert_eq!(
            calls.next().await?,
            ServerCall::Widget(WidgetId(1), "pressed".to_owned(), arguments, named)
        );
        assert_eq!(calls.next().await?, ServerCall::Key(Key::Character('ö')));
        assert_eq!(calls.next().await?, ServerCall::Key(Key::Named("Return".to_owned())));
        let position = PlayerEvent::Position(Duration::from_millis(40));
        for event in [PlayerEvent::Started, position, PlayerEvent::Finished] {
            assert_eq!(calls.next().await?, ServerCall::Player(WidgetId(3), event));
        }
        let failed = PlayerEvent::Failed("no file".to_owned());
        assert_eq!(calls.next().await?, ServerCall::Player(WidgetId(4), failed));
        Ok(())
    })
}

#[test]
fn unsupported_widget_call_is_a_fault() -> TestResult {
    run(async {
        let (_pair, candy, _calls) = start().await?;
        let tasks = vec![add(1, "text", None, Properties::default()), call(1, "play", vec![])];
        let error = candy.sync(tasks).await;
        assert_eq!(error, Err(CallError::Fault("a text cannot play".to_owned())));
        Ok(())
    })
}
