//! Quantities by value: `1000m` is `1`, `1024Mi` is `1Gi` (k8s.io/apimachinery pkg/api/resource).

/// Whether a field holds a quantity.
pub fn is_at(path: &str) -> bool {
    [
        ".limits.",
        ".requests.",
        ".limits[",
        ".requests[",
        ".overhead.",
    ]
    .iter()
    .any(|part| path.contains(part))
        || path.ends_with(".sizeLimit")
        || path.ends_with(".divisor")
}

/// Whether two spellings have one value; false where either is no quantity.
pub fn same(left: &str, right: &str) -> bool {
    match (nanos(left), nanos(right)) {
        (Some(left), Some(right)) => left == right,
        _ => false,
    }
}

/// The value in billionths, the finest that the API server keeps; finer digits round up as it does.
pub fn nanos(raw: &str) -> Option<i128> {
    let end = raw
        .char_indices()
        .find(|(index, c)| !(c.is_ascii_digit() || *c == '.' || (*index == 0 && "+-".contains(*c))))
        .map_or(raw.len(), |(index, _)| index);
    let (number, suffix) = raw.split_at(end);
    let negative = number.starts_with('-');
    let number = number.trim_start_matches(['+', '-']);
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if whole.is_empty() && fraction.is_empty() || number.len() > 30 {
        return None;
    }
    let digits: i128 = format!("0{whole}{fraction}").parse().ok()?;
    let (numerator, denominator) = scale(suffix)?;
    let places = i128::from(10_u8).checked_pow(u32::try_from(fraction.len()).ok()?)?;
    let scaled = digits.checked_mul(numerator)?.checked_mul(1_000_000_000)?;
    let divisor = places.checked_mul(denominator)?;
    let value = scaled.checked_add(divisor - 1)? / divisor;
    Some(if negative { -value } else { value })
}

/// What a suffix multiplies by, as a fraction.
fn scale(suffix: &str) -> Option<(i128, i128)> {
    let ten = |power: u32| i128::from(10_u8).checked_pow(power);
    Some(match suffix {
        "" => (1, 1),
        "n" => (1, ten(9)?),
        "u" => (1, ten(6)?),
        "m" => (1, ten(3)?),
        "k" => (ten(3)?, 1),
        "M" => (ten(6)?, 1),
        "G" => (ten(9)?, 1),
        "T" => (ten(12)?, 1),
        "P" => (ten(15)?, 1),
        "E" => (ten(18)?, 1),
        "Ki" => (1 << 10, 1),
        "Mi" => (1 << 20, 1),
        "Gi" => (1 << 30, 1),
        "Ti" => (1 << 40, 1),
        "Pi" => (1 << 50, 1),
        "Ei" => (1 << 60, 1),
        exponent => {
            let power: i32 = exponent.strip_prefix(['e', 'E'])?.parse().ok()?;
            let by = ten(power.unsigned_abs())?;
            if power < 0 { (1, by) } else { (by, 1) }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_one_value_are_the_same() {
        for (left, right, equal) in [
            ("1000m", "1", true),
            ("0.5", "500m", true),
            (".5", "500m", true),
            ("1024Mi", "1Gi", true),
            ("1e3", "1k", true),
            ("1E3", "1000", true),
            ("1.5Gi", "1536Mi", true),
            ("100m", "0.1", true),
            ("1G", "1Gi", false),
            ("-1", "1", false),
            ("x", "x", false),
            ("", "", false),
            ("1x", "1", false),
            ("99999999999999999999999999999E", "1", false),
            ("1e999999999", "1", false),
        ] {
            assert_eq!(same(left, right), equal, "{left} {right}");
        }
    }
}
