//! The README cannot drift: its tables are rendered from the registries, its commands exist.

use std::path::Path;

fn readme() -> (std::path::PathBuf, String) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md");
    let text = std::fs::read_to_string(&path).expect("the README is there");
    (path, text)
}

#[test]
fn tables_are_those_of_the_registries() {
    let (path, text) = readme();
    let rendered = stakeout::docs::render(&text).expect("every marker is there");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, &rendered).expect("the README can be written");
        return;
    }
    assert!(
        rendered == text,
        "README.md is behind the registries: UPDATE_DOCS=1 cargo test --test it docs"
    );
}

#[test]
fn files_that_it_names_exist() {
    let (_, text) = readme();
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let named = text.split(['`', '(', ')']).filter(|word| {
        ["src/", "tests/", "screenshots/", "themes/"]
            .iter()
            .any(|top| word.starts_with(top))
            && !word.contains([' ', '<', '*'])
    });
    let missing: Vec<&str> = named.filter(|word| !root.join(word).exists()).collect();
    assert!(
        missing.is_empty(),
        "README.md names what is not there: {missing:?}"
    );
}

#[test]
fn every_fence_names_its_language() {
    let (_, text) = readme();
    let mut open = false;
    for (number, line) in text.lines().enumerate() {
        if let Some(language) = line.strip_prefix("```") {
            assert!(
                open || !language.is_empty(),
                "README.md:{}: a fence without a language",
                number + 1
            );
            open = !open;
        }
    }
}
