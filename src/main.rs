//! The `stakeout` program: everything is in the library.

fn main() -> std::process::ExitCode {
    stakeout::run(std::env::args_os())
}
