//! Keys in, frames out: every main view at 80x24 and 120x30, compared with `tests/fixtures/frames`.
//!
//! `UPDATE_FRAMES=1 cargo test --test it frames` writes them anew; look at the difference before you commit it.

mod dialog;
pub mod fleet;
mod tables;

use std::path::Path;
use std::sync::Arc;

use ratatui::buffer::Buffer;
use ratatui::layout::{Rect, Size};
use stakeout::engine::Judged;
use stakeout::model::fact::Gap;
use stakeout::model::link::{HostState, Order};
use stakeout::model::text::Text;
use stakeout::model::verdict::Verdict;
use stakeout::tui::Address;
use stakeout::tui::app::{App, Effect, Msg};
use stakeout::tui::keys;
use stakeout::tui::theme::{BUILT_IN, Theme, Tier};
use stakeout::tui::world::{Scope, World};

use fleet::Fleet;

struct Stage {
    app: App,
    size: (u16, u16),
    effects: Vec<Effect>,
}

impl Stage {
    fn new(width: u16, height: u16) -> Self {
        let world = World::new(
            fleet::registry(),
            Text::new("prod-eu1"),
            Text::new("the API server of prod-eu1"),
            fleet::now(),
        );
        let mut app = App::new(world);
        app.update(Msg::Resize(Size::new(width, height)));
        Self {
            app,
            size: (width, height),
            effects: Vec::new(),
        }
    }

    fn mixed(width: u16, height: u16) -> Self {
        Self::new(width, height).show(Fleet::mixed().judged())
    }

    fn show(mut self, view: Arc<Judged>) -> Self {
        self.app.update(Msg::Views(vec![view]));
        self
    }

    fn press(mut self, typed: &str) -> Self {
        for event in keys::events(typed).expect("names of keys") {
            self.effects.extend(self.app.update(Msg::Key(event)));
        }
        self
    }

    fn buffer(&self, theme: &Theme) -> Buffer {
        let mut buffer = Buffer::empty(Rect::new(0, 0, self.size.0, self.size.1));
        self.app.view(theme, &mut buffer);
        buffer
    }

    fn frame(&self) -> String {
        let theme = Theme::built_in("terminal", Tier::Ansi).expect("a built-in theme");
        text(&self.buffer(&theme))
    }

    fn copied(&self) -> Vec<&str> {
        self.effects
            .iter()
            .filter_map(|effect| match effect {
                Effect::Copy(clip) => Some(clip.text.as_str()),
                _ => None,
            })
            .collect()
    }
}

fn text(buffer: &Buffer) -> String {
    let mut out = String::new();
    for y in buffer.area.top()..buffer.area.bottom() {
        let row: String = (buffer.area.left()..buffer.area.right())
            .map(|x| buffer[(x, y)].symbol())
            .collect();
        out.push_str(row.trim_end());
        out.push('\n');
    }
    out
}

fn compare(name: &str, frame: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures/frames")
        .join(format!("{name}.txt"));
    if std::env::var_os("UPDATE_FRAMES").is_some() {
        std::fs::write(&path, frame).expect("the fixtures can be written");
        return;
    }
    let wanted = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        wanted == frame,
        "frame {name} is not as recorded; UPDATE_FRAMES=1 writes it anew\n--- recorded\n{wanted}\n--- now\n{frame}"
    );
}

#[test]
fn main_views_are_as_recorded() {
    for (name, typed) in [
        ("fleet", ""),
        ("fleet-failed", "/07"),
        ("node", "<Enter>"),
        ("finding", "<Enter><Enter>"),
        ("finding-unknown", "<Enter>jjj<Enter>"),
        ("evidence", "<Enter><Enter>e"),
        ("log", ":log<Enter>"),
        ("help", "?"),
        ("checks", "v"),
        ("check", "vj<Enter>"),
    ] {
        for (width, height) in [(80, 24), (120, 30)] {
            let stage = Stage::mixed(width, height).press(typed);
            compare(&format!("{name}-{width}x{height}"), &stage.frame());
        }
    }
}

#[test]
fn the_first_frame_says_what_it_waits_for() {
    let frame = Stage::new(80, 24).frame();
    assert!(
        frame.contains("waiting for the API server of prod-eu1"),
        "{frame}"
    );
    assert!(frame.contains("api ...  ssh 0/0"), "{frame}");
}

#[test]
fn the_worst_fix_is_three_keys_away() {
    let stage = Stage::mixed(80, 24).press("<Enter><Enter>c");
    assert_eq!(stage.copied(), ["touch PATH"]);
    let stage = Stage::mixed(80, 24).press("<Enter>j<Enter>ccC");
    assert_eq!(
        stage.copied(),
        [
            "chmod 600 /etc/kubernetes/manifests/kube-apiserver.yaml",
            "stakeout scan --node cp-1 --check SP-FILE-003",
            "chmod 600 /etc/kubernetes/manifests/kube-apiserver.yaml\nstakeout scan --node cp-1 --check SP-FILE-003",
        ]
    );
}

#[test]
fn every_size_can_be_drawn_on_every_view() {
    let theme = Theme::built_in("terminal", Tier::Ansi).expect("a built-in theme");
    for typed in [
        "",
        "<Enter>",
        "<Enter><Enter>",
        "<Enter><Enter>e",
        ":log<Enter>",
        "?",
        "v",
        "z",
        "/x",
        ":node",
    ] {
        for size in [
            (0, 0),
            (1, 1),
            (23, 5),
            (24, 6),
            (24, 40),
            (40, 10),
            (60, 12),
            (79, 23),
            (80, 15),
            (80, 24),
            (119, 24),
            (120, 24),
            (140, 45),
            (300, 80),
            (500, 6),
        ] {
            let stage = Stage::mixed(size.0, size.1).press(typed);
            stage.buffer(&theme);
            Stage::new(size.0, size.1).press(typed).buffer(&theme);
        }
    }
}

#[test]
fn the_filter_narrows_and_escape_widens() {
    let stage = Stage::mixed(80, 24).press("/sev>=high<Enter>");
    assert!(
        stage.frame().contains("3 of 15 nodes  filter: sev>=high"),
        "{}",
        stage.frame()
    );
    let stage = stage.press("<Esc>");
    assert!(
        stage.frame().contains(" 15 nodes  filter: -"),
        "{}",
        stage.frame()
    );
    let frame = Stage::mixed(80, 24).press("/state=failed<Enter>").frame();
    assert!(frame.contains("1 of 15 nodes"), "{frame}");
    let frame = Stage::mixed(80, 24).press("!").frame();
    assert!(!frame.contains("cp-2"), "{frame}");
}

#[test]
fn the_cursor_follows_its_node() {
    let mut fleet = Fleet::mixed();
    let stage = Stage::mixed(80, 24).press("jj");
    let row = |frame: &str| {
        let found = frame.lines().find(|line| line.starts_with("> "));
        found.map(|line| line[4..14].trim().to_owned())
    };
    let before = row(&stage.frame());
    fleet.add("aa-new", HostState::Queued, Vec::new());
    let stage = stage.show(fleet.judged()).press("N");
    assert_eq!(row(&stage.frame()), before);
}

#[test]
fn back_history_and_quitting() {
    let mut stage = Stage::mixed(80, 24).press("<Enter><Enter>");
    assert!(matches!(stage.app.address(), Address::Finding(_)));
    stage = stage.press("q-");
    assert!(matches!(stage.app.address(), Address::Finding(_)));
    stage = stage.press("-[");
    assert_eq!(stage.app.address(), Address::Fleet);
    stage = stage.press("]");
    assert_eq!(
        stage.app.address(),
        Address::Node(Scope::Node(fleet::name("cp-1")))
    );
    stage = stage.press("<Left>q");
    assert!(stage.frame().contains("q again to quit"));
    assert!(stage.effects.is_empty());
    stage = stage.press("jq");
    assert!(stage.effects.is_empty());
    assert_eq!(stage.press("q").effects, [Effect::Quit]);
    assert_eq!(
        Stage::mixed(80, 24).press("<ctrl-c><ctrl-c>").effects,
        [Effect::Quit]
    );
    assert_eq!(
        Stage::mixed(80, 24).press(":q<Enter>").effects,
        [Effect::Quit]
    );
}

#[test]
fn commands_are_completed_and_explained() {
    let stage = Stage::mixed(80, 24).press(":no<Tab>cp-2<Enter>");
    assert_eq!(
        stage.app.address(),
        Address::Node(Scope::Node(fleet::name("cp-2")))
    );
    let stage = Stage::mixed(80, 24).press(":node nowhere<Enter>");
    assert!(
        stage.frame().contains("no node nowhere"),
        "{}",
        stage.frame()
    );
    let stage = Stage::mixed(80, 24).press(":node cp-1 /mode<Enter>");
    assert!(stage.frame().contains("filter: mode"), "{}", stage.frame());
    let stage = Stage::mixed(80, 24).press(":theme mono<Enter>");
    assert_eq!(stage.effects, [Effect::Theme("mono".to_owned())]);
}

#[test]
fn a_finding_walks_the_list_that_it_was_opened_from() {
    let crumbs = |typed: &str| {
        let frame = Stage::mixed(80, 24).press(typed).frame();
        frame.lines().next().unwrap_or_default()[23..55]
            .trim()
            .to_owned()
    };
    assert_eq!(crumbs("<Enter><Enter>n"), "fleet > cp-1 > SP-FILE-003");
    assert_eq!(
        crumbs(":check FILE-003<Enter><Enter>n"),
        "fleet > SP-FILE-003 > cp-3"
    );
}

#[test]
fn keys_of_a_node_give_orders() {
    let stage = Stage::mixed(80, 24).press("rs");
    assert_eq!(
        stage.effects[0],
        Effect::Order(Order::Recollect(vec![fleet::name("cp-1")]))
    );
    assert_eq!(stage.copied(), ["ssh cp-1"]);
    assert!(
        Stage::mixed(80, 24)
            .press("<ctrl-d>")
            .frame()
            .contains("stakeout is read-only")
    );
}

#[test]
fn a_finding_that_is_mended_says_so() {
    let mut fleet = Fleet::mixed();
    let stage = Stage::mixed(80, 24).press("<Enter><Enter>");
    assert!(stage.frame().contains("FAIL CRITICAL"), "{}", stage.frame());
    fleet.add(
        "cp-1",
        HostState::Ok,
        vec![Verdict::Unknown { why: Gap::Pending }; 5],
    );
    let frame = stage.show(fleet.judged()).frame();
    assert!(frame.contains("UNKNOWN"), "{frame}");
    assert!(frame.contains("not collected yet"), "{frame}");
}

#[test]
fn nothing_hostile_reaches_a_cell() {
    let hostile = "\u{1b}]52;c;aGk=\u{7}\u{202e}evil\u{9b}31m\u{200b}";
    let mut fleet = Fleet::empty();
    let mut verdicts = vec![
        Verdict::Unknown {
            why: Gap::Garbled {
                what: Text::new(hostile)
            }
        };
        5
    ];
    verdicts[0] = stakeout::checks::check::fail(
        stakeout::model::verdict::Subject::new(
            stakeout::model::verdict::SubjectKind::Path,
            hostile,
        ),
        stakeout::model::verdict::Severity::Critical,
        hostile,
        [],
    );
    fleet.add("cp-1", HostState::Ok, verdicts);
    for typed in [
        "",
        "<Enter>",
        "<Enter><Enter>",
        "<Enter><Enter>e",
        "<Enter>c",
        "<Enter><Enter>C",
    ] {
        let mut stage = Stage::new(120, 30).show(fleet.judged()).press(typed);
        stage.app.update(Msg::Paste(hostile.to_owned()));
        let frame = stage.frame();
        assert!(
            frame
                .chars()
                .all(|c| c == '\n' || !(c.is_control() || matches!(c, '\u{202e}' | '\u{200b}'))),
            "{typed}: {frame:?}"
        );
        assert!(
            stage.copied().iter().all(|text| !text.contains('\u{1b}')),
            "{typed}"
        );
    }
    // A name with control characters is shown, and refused for copying.
    let stage = Stage::new(120, 30)
        .show(fleet.judged())
        .press("<Enter><Enter>C");
    assert!(stage.frame().contains("not copied"), "{}", stage.frame());
}

#[test]
fn every_theme_shows_the_cursor() {
    for (name, _) in BUILT_IN {
        for tier in [Tier::Mono, Tier::Ansi] {
            let theme = Theme::built_in(name, tier).expect("a built-in theme");
            let buffer = Stage::mixed(80, 24).buffer(&theme);
            let row = (0..24)
                .find(|y| buffer[(0, *y)].symbol() == ">")
                .expect("a cursor");
            assert!(
                buffer[(0, row)]
                    .modifier
                    .contains(ratatui::style::Modifier::REVERSED),
                "{name} {tier:?}"
            );
        }
    }
}

#[test]
fn keys_do_not_clash() {
    for (pane, bindings) in stakeout::tui::app::bindings() {
        let mut seen = std::collections::BTreeSet::new();
        for binding in bindings {
            for key in binding.keys.split(' ') {
                assert!(keys::Chord::parse(key).is_some(), "{pane}: {key} is no key");
                assert!(seen.insert(key), "{pane}: {key} is bound twice");
                assert!(
                    !matches!(key, "ctrl-i" | "ctrl-a" | "ctrl-b"),
                    "{pane}: {key} belongs to others"
                );
            }
            assert!(
                !binding.help.is_empty(),
                "{pane}: {} says nothing",
                binding.keys
            );
        }
    }
}

#[test]
fn drawing_twice_is_the_same() {
    let theme = Theme::built_in("terminal", Tier::Ansi).expect("a built-in theme");
    let stage = Stage::mixed(120, 30).press("<Enter>");
    assert_eq!(stage.buffer(&theme), stage.buffer(&theme));
}

#[test]
#[ignore = "prints times, asserts none"]
fn times_of_a_large_fleet() {
    let mut fleet = Fleet::empty();
    for number in 0..5000 {
        fleet.add(
            &format!("pool-{}-{number:04}", number % 7),
            HostState::Ok,
            fleet::findings(number),
        );
    }
    let view = fleet.judged();
    let theme = Theme::built_in("terminal", Tier::Ansi).expect("a built-in theme");
    let time = |what: &str, work: &mut dyn FnMut()| {
        let from = std::time::Instant::now();
        for _ in 0..10 {
            work();
        }
        println!("{what}: {:?}", from.elapsed() / 10);
    };
    let mut stage = Stage::new(80, 24).show(view.clone());
    time("the same view again", &mut || {
        stage.app.update(Msg::Views(vec![view.clone()]));
    });
    time("frame 80x24", &mut || drop(stage.buffer(&theme)));
    stage.size = (250, 70);
    stage.app.update(Msg::Resize(Size::new(250, 70)));
    time("frame 250x70", &mut || drop(stage.buffer(&theme)));
    let mut stage = Stage::new(80, 24).show(view.clone()).press("/");
    time("one letter of a filter", &mut || {
        stage
            .app
            .update(Msg::Key(keys::events("4").expect("a key")[0]));
        stage
            .app
            .update(Msg::Key(keys::events("<Backspace>").expect("a key")[0]));
    });
}

#[test]
#[ignore = "prints frames of the shipped fleet"]
fn frames_of_the_shipped_fleet() {
    let clock = crate::describe::Clock {
        now: fleet::now().as_second(),
    };
    let shipped = crate::fleet::Fleet::shipped(clock);
    let judged = Arc::new(crate::offline::judged(&shipped));
    let world = World::new(
        stakeout::tui::world::Registry::built_in(),
        Text::new("demo"),
        Text::new("the demo"),
        judged.snapshot.taken,
    );
    let width: u16 = std::env::var("W")
        .ok()
        .and_then(|w| w.parse().ok())
        .unwrap_or(80);
    let height: u16 = std::env::var("H")
        .ok()
        .and_then(|w| w.parse().ok())
        .unwrap_or(24);
    let mut app = App::new(world);
    app.update(Msg::Resize(Size::new(width, height)));
    app.update(Msg::Views(vec![judged]));
    let mut stage = Stage {
        app,
        size: (width, height),
        effects: Vec::new(),
    };
    println!("{}", stage.frame());
    for typed in std::env::var("TYPED").unwrap_or_default().split('|') {
        stage = stage.press(typed);
        println!("=== {typed}\n{}", stage.frame());
    }
}
