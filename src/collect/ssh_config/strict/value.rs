//! Values of options, taken only where there is no doubt what they mean. Pure.

/// A value without anything to expand.
pub(super) fn plain(value: &str) -> Result<&str, String> {
    if value.contains(['%', '$']) {
        return Err(format!("{value}: only ssh expands that"));
    }
    Ok(value)
}

/// `yes` or `no`.
pub(super) fn flag(value: &str) -> Result<&'static str, String> {
    match value.to_ascii_lowercase().as_str() {
        "yes" | "true" => Ok("yes"),
        "no" | "false" => Ok("no"),
        _ => Err(format!("{value} is neither yes nor no")),
    }
}

/// A file name whose tokens are known.
pub(super) fn path(value: &str) -> Result<&str, String> {
    let mut rest = value;
    while let Some((_, after)) = rest.split_once('%') {
        if !after.starts_with(['%', 'd', 'h', 'n', 'p', 'r', 'u']) {
            return Err(format!("{value}: only ssh expands that"));
        }
        rest = &after[1..];
    }
    let elsewhere = value.starts_with('~') && !value.starts_with("~/");
    let relative = !value.starts_with(['/', '~', '%']) && value != "none";
    if value.contains('$') || elsewhere || relative {
        return Err(format!("{value}: only ssh knows which file that is"));
    }
    Ok(value)
}

/// Several file names; one with a blank inside cannot be told from two.
pub(super) fn paths(values: &[String]) -> Result<String, String> {
    for value in values {
        path(value)?;
        if value.contains(' ') {
            return Err(format!(
                "{value}: a blank in the name of a known_hosts file"
            ));
        }
    }
    Ok(values.join(" "))
}

/// Which agent to ask.
pub(super) fn agent(value: &str) -> Result<&str, String> {
    match value {
        "none" | "SSH_AUTH_SOCK" | "$SSH_AUTH_SOCK" => Ok(value),
        other => path(other),
    }
}
