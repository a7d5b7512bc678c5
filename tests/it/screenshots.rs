//! The pictures of the README are frames of the recorded fleet, drawn as SVG; they cannot show what is not there.

use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;

use ratatui::buffer::{Buffer, Cell};
use ratatui::layout::{Rect, Size};
use ratatui::style::{Color, Modifier};
use stakeout::engine::Judged;
use stakeout::model::policy::Policy;
use stakeout::model::text::Text;
use stakeout::tui::app::{App, Msg};
use stakeout::tui::keys;
use stakeout::tui::theme::{Theme, Tier};
use stakeout::tui::world::{Registry, World};

/// Pixels of one cell.
const CELL: (u16, u16) = (8, 17);

/// Name, columns, rows, keys that lead there.
const PICTURES: &[(&str, u16, u16, &str)] = &[
    ("fleet", 80, 24, ""),
    ("node", 80, 24, "/cp-1<Enter><Enter>"),
    (
        "finding",
        120,
        30,
        "/pool-a-01<Enter><Enter>/mrg-007<Enter><Enter>",
    ),
    ("help", 80, 24, "?"),
];

#[test]
fn pictures_are_frames_of_the_recorded_fleet() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let snapshot = stakeout::disk::snapshot::load(&root.join("tests/fixtures/demo.jsonl.zst"));
    let snapshot = Arc::new(snapshot.expect("the fixture is a whole snapshot"));
    let taken = snapshot.taken;
    let judged = Arc::new(Judged::of(snapshot, &Policy::none(), taken));
    let theme = Theme::built_in("terminal", Tier::Ansi).expect("a built-in theme");
    let mut behind = Vec::new();
    for (name, width, height, typed) in PICTURES {
        let world = World::new(
            Registry::built_in(),
            Text::new("lab"),
            Text::new("the recorded fleet"),
            taken,
        );
        let mut app = App::new(world);
        app.update(Msg::Resize(Size::new(*width, *height)));
        app.update(Msg::Views(vec![Arc::clone(&judged)]));
        for event in keys::events(typed).expect("names of keys") {
            app.update(Msg::Key(event));
        }
        let mut buffer = Buffer::empty(Rect::new(0, 0, *width, *height));
        app.view(&theme, &mut buffer);
        let picture = svg(&buffer);
        let path = root.join("screenshots").join(format!("{name}.svg"));
        if std::env::var_os("UPDATE_DOCS").is_some() {
            std::fs::write(&path, &picture).expect("a picture can be written");
        }
        if std::fs::read_to_string(&path).unwrap_or_default() != picture {
            behind.push(name);
        }
    }
    assert!(
        behind.is_empty(),
        "{behind:?} are behind: UPDATE_DOCS=1 cargo test --test it screenshots"
    );
}

/// A frame as one self-contained picture: runs of equal style, one element each.
fn svg(buffer: &Buffer) -> String {
    let (width, height) = (buffer.area.width * CELL.0, buffer.area.height * CELL.1);
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} {height}\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"#1c1f24\"/>\n\
         <g font-family=\"DejaVu Sans Mono,Menlo,Consolas,monospace\" font-size=\"13\" xml:space=\"preserve\">\n"
    );
    for y in 0..buffer.area.height {
        let mut x = 0;
        while x < buffer.area.width {
            let style = look(&buffer[(x, y)]);
            let start = x;
            let mut run = String::new();
            while x < buffer.area.width && look(&buffer[(x, y)]) == style {
                run.push_str(buffer[(x, y)].symbol());
                x += 1;
            }
            draw(&mut out, (start, y), &run, &style);
        }
    }
    out + "</g>\n</svg>\n"
}

/// Foreground, background, bold, underlined.
type Look = (&'static str, Option<&'static str>, bool, bool);

fn look(cell: &Cell) -> Look {
    let (mut fg, mut bg) = (name(cell.fg), name(cell.bg));
    if cell.modifier.contains(Modifier::REVERSED) {
        (fg, bg) = (bg.or(Some("#1c1f24")), fg.or(Some("#d7dae0")));
    }
    let dim = cell.modifier.contains(Modifier::DIM);
    let plain = if dim { "#8a8f98" } else { "#d7dae0" };
    (
        fg.unwrap_or(plain),
        bg,
        cell.modifier.contains(Modifier::BOLD),
        cell.modifier.contains(Modifier::UNDERLINED),
    )
}

fn draw(out: &mut String, (x, y): (u16, u16), run: &str, (fg, bg, bold, underlined): &Look) {
    let (left, top) = (x * CELL.0, y * CELL.1);
    let width = run.chars().count() * usize::from(CELL.0);
    if let Some(bg) = bg {
        let _ = writeln!(
            out,
            "<rect x=\"{left}\" y=\"{top}\" width=\"{width}\" height=\"{}\" fill=\"{bg}\"/>",
            CELL.1
        );
    }
    if run.trim().is_empty() {
        return;
    }
    let weight = if *bold { " font-weight=\"bold\"" } else { "" };
    let line = if *underlined {
        " text-decoration=\"underline\""
    } else {
        ""
    };
    let text = run
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;");
    let _ = writeln!(
        out,
        "<text x=\"{left}\" y=\"{}\" textLength=\"{width}\" fill=\"{fg}\"{weight}{line}>{text}</text>",
        top + 13
    );
}

/// The sixteen names as a common terminal shows them.
fn name(color: Color) -> Option<&'static str> {
    Some(match color {
        Color::Black => "#1c1f24",
        Color::Red => "#e06c75",
        Color::Green => "#98c379",
        Color::Yellow => "#e5c07b",
        Color::Blue => "#61afef",
        Color::Magenta => "#c678dd",
        Color::Cyan => "#56b6c2",
        Color::Gray => "#dcdfe4",
        Color::DarkGray => "#7f848e",
        Color::LightRed => "#ff7b86",
        Color::LightGreen => "#b5e890",
        Color::LightYellow => "#ffd787",
        Color::LightBlue => "#7cc4ff",
        Color::LightMagenta => "#de8cf5",
        Color::LightCyan => "#6fd3df",
        Color::White => "#ffffff",
        _ => return None,
    })
}
