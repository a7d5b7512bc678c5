//! Colours: names, hex, the values of xterm, and contrast after WCAG 2.2.

use ratatui::style::Color;

/// The sixteen names with the values that xterm ships.
const ANSI: [(&str, Color, (u8, u8, u8)); 16] = [
    ("black", Color::Black, (0, 0, 0)),
    ("red", Color::Red, (205, 0, 0)),
    ("green", Color::Green, (0, 205, 0)),
    ("yellow", Color::Yellow, (205, 205, 0)),
    ("blue", Color::Blue, (0, 0, 238)),
    ("magenta", Color::Magenta, (205, 0, 205)),
    ("cyan", Color::Cyan, (0, 205, 205)),
    ("white", Color::Gray, (229, 229, 229)),
    ("bright_black", Color::DarkGray, (127, 127, 127)),
    ("bright_red", Color::LightRed, (255, 0, 0)),
    ("bright_green", Color::LightGreen, (0, 255, 0)),
    ("bright_yellow", Color::LightYellow, (255, 255, 0)),
    ("bright_blue", Color::LightBlue, (92, 92, 255)),
    ("bright_magenta", Color::LightMagenta, (255, 0, 255)),
    ("bright_cyan", Color::LightCyan, (0, 255, 255)),
    ("bright_white", Color::White, (255, 255, 255)),
];

/// A name of the sixteen, `default`, or `#rrggbb`.
pub(super) fn parse(word: &str) -> Result<Color, String> {
    if word == "default" {
        return Ok(Color::Reset);
    }
    if let Some((_, colour, _)) = ANSI.iter().find(|(name, ..)| *name == word) {
        return Ok(*colour);
    }
    let hex = word
        .strip_prefix('#')
        .filter(|hex| hex.len() == 6)
        .and_then(|hex| u32::from_str_radix(hex, 16).ok());
    match hex.map(u32::to_be_bytes) {
        Some([_, red, green, blue]) => Ok(Color::Rgb(red, green, blue)),
        None => Err(format!("no colour {word}")),
    }
}

/// The nearest of the sixteen by the values of xterm.
pub(super) fn nearest(colour: Color) -> Color {
    let Some((red, green, blue)) = rgb(colour) else {
        return colour;
    };
    let distance = |(r, g, b): (u8, u8, u8)| {
        let part = |a: u8, b: u8| (i32::from(a) - i32::from(b)).pow(2);
        part(red, r) + part(green, g) + part(blue, b)
    };
    ANSI.iter()
        .min_by_key(|(_, _, value)| distance(*value))
        .map_or(colour, |(_, colour, _)| *colour)
}

/// Black or white, whichever reads better.
pub(super) fn readable_on(background: Color) -> Color {
    if contrast(Color::Black, background) >= contrast(Color::White, background) {
        Color::Black
    } else {
        Color::White
    }
}

/// Contrast ratio of two colours, 1 to 21; 21 where one is the terminal's own and not known.
pub fn contrast(one: Color, other: Color) -> f64 {
    let (Some(one), Some(other)) = (rgb(one), rgb(other)) else {
        return 21.0;
    };
    let (one, other) = (luminance(one), luminance(other));
    (one.max(other) + 0.05) / (one.min(other) + 0.05)
}

fn rgb(colour: Color) -> Option<(u8, u8, u8)> {
    if let Color::Rgb(red, green, blue) = colour {
        return Some((red, green, blue));
    }
    let found = ANSI.iter().find(|(_, known, _)| *known == colour);
    found.map(|(_, _, value)| *value)
}

fn luminance((red, green, blue): (u8, u8, u8)) -> f64 {
    let part = |value: u8| {
        let value = f64::from(value) / 255.0;
        if value <= 0.04045 {
            value / 12.92
        } else {
            ((value + 0.055) / 1.055).powf(2.4)
        }
    };
    0.2126 * part(red) + 0.7152 * part(green) + 0.0722 * part(blue)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contrast_is_that_of_wcag() {
        assert!((contrast(Color::Black, Color::White) - 21.0).abs() < 0.01);
        assert!((contrast(Color::Rgb(0x77, 0x77, 0x77), Color::White) - 4.48).abs() < 0.01);
        assert_eq!(readable_on(Color::Red), Color::White);
    }
}
