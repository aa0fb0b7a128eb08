//! Progress on a terminal, as `script` (bsdutils) gives one: what stands on the screen in the middle and in the end.

use std::process::Command;
use std::time::Duration;

use test_registry::{Action, Fault, Options, Route, SampleImage, TestRegistry, installed};

use crate::support::{Image, Run, TOKEN, USERNAME};

const WIDTH: usize = 80;

/// What a terminal shows after all that was written to it.
#[derive(Default)]
struct Screen {
    lines: Vec<Vec<char>>,
    row: usize,
    column: usize,
}

impl Screen {
    fn of(written: &str) -> String {
        let mut screen = Self::default();
        let mut rest = written.chars();
        while let Some(character) = rest.next() {
            match character {
                '\r' => screen.column = 0,
                '\n' => screen.row += 1,
                '\u{1b}' => {
                    assert_eq!(rest.next(), Some('['), "a sequence of another kind");
                    let sequence = rest.as_str();
                    let end = sequence.find(|one: char| one.is_ascii_alphabetic());
                    let (parameters, after) = sequence.split_at(end.expect("it ends"));
                    rest = after.chars();
                    screen.control(rest.next().expect("a letter"), parameters);
                }
                character => screen.put(character),
            }
        }
        let lines = screen.lines.iter();
        let lines = lines.map(|line| line.iter().collect::<String>().trim_end().to_owned());
        let lines: Vec<String> = lines.collect();
        lines.join("\n").trim_end().to_owned()
    }

    fn control(&mut self, letter: char, parameters: &str) {
        match letter {
            'A' => self.row -= parameters.parse::<usize>().expect("a number"),
            'J' => {
                assert!(matches!(parameters, "" | "0"), "{parameters}");
                self.lines.truncate(self.row + 1);
                if let Some(line) = self.lines.get_mut(self.row) {
                    line.truncate(self.column);
                }
            }
            'B' => self.row += parameters.parse::<usize>().expect("a number"),
            'K' => {
                let from = match parameters {
                    "" => self.column,
                    "2" => 0,
                    other => panic!("an unknown sequence: {other}K"),
                };
                if let Some(line) = self.lines.get_mut(self.row) {
                    line.truncate(from);
                }
            }
            'm' => {}
            other => panic!("an unknown sequence: {parameters}{other}"),
        }
    }

    fn put(&mut self, character: char) {
        if self.column == WIDTH {
            self.row += 1;
            self.column = 0;
        }
        while self.lines.len() <= self.row {
            self.lines.push(Vec::new());
        }
        let line = &mut self.lines[self.row];
        while line.len() <= self.column {
            line.push(' ');
        }
        line[self.column] = character;
        self.column += 1;
    }
}

/// Runs the binary on a terminal of 80 columns, as the shell's `words` say, in which `ghcr-push` stands for it.
fn on_terminal(image: &Image, words: &str) -> Run {
    let binary = env!("CARGO_BIN_EXE_ghcr-push");
    let words = words.replace("ghcr-push", &format!("'{binary}' --plain-http"));
    let output = Command::new("script")
        .args([
            "-qec",
            &format!("stty rows 24 cols {WIDTH}; {words}"),
            "/dev/null",
        ])
        .current_dir(image.directory.path())
        .env_clear()
        .env("HOME", image.directory.path())
        .env("PATH", "/usr/bin:/bin")
        .env("TERM", "xterm")
        .env("NO_COLOR", "1")
        .env("GHCR_PUSH_TOKEN", TOKEN)
        .env("GHCR_PUSH_USERNAME", USERNAME)
        .output();
    Run::of(output.expect("it starts"))
}

/// What stood on the screen each time before several lines were drawn anew.
fn pictures(written: &str) -> Vec<String> {
    let ends = written.match_indices("A\r").filter_map(|(position, _)| {
        let before = &written[..position];
        before.rfind("\u{1b}[")
    });
    ends.map(|end| Screen::of(&written[..end])).collect()
}

/// A hundred and twenty layers never take more than nine lines, none too long, and leave the result alone.
#[test]
fn many_layers() {
    if !installed(&["script"]) {
        return;
    }
    let mut options = Options::ghcr(USERNAME, TOKEN);
    options.latency = Duration::from_millis(100);
    let registry = TestRegistry::start(options);
    let slow = Action::Delay(Duration::from_secs(1));
    registry.fail(Fault::new(slow).on(Route::UploadCommit).times(24));
    let sizes: Vec<u64> = (1..=120).map(|number| 2000 * number).collect();
    let image = Image::new(&SampleImage::of_layers(&sizes));
    let reference = format!("{}/owner/app:1", registry.host());
    let run = on_terminal(&image, &format!("ghcr-push image.tar {reference}"));
    run.assert_code(0);
    assert!(run.stdout.contains("/121 blobs"), "{:?}", run.stdout);
    let pictures = pictures(&run.stdout);
    assert!(pictures.len() > 3, "{:?}", run.stdout);
    for picture in pictures {
        // The announcement of the credential takes two lines.
        let drawn: Vec<&str> = picture.lines().skip(2).collect();
        assert!((1..=9).contains(&drawn.len()), "{picture}");
        for line in &drawn {
            let is_one_line = line.matches('[').count() <= 1 && line.len() <= WIDTH - 3;
            assert!(is_one_line && !line.starts_with(' '), "{picture}");
        }
        let total = drawn[drawn.len() - 1];
        assert!(total.contains("/121 blobs "), "{picture}");
    }
    let screen = Screen::of(&run.stdout);
    let lines: Vec<&str> = screen.lines().collect();
    assert!(lines[0].starts_with("credential for "), "{screen}");
    assert!(
        screen.contains(&format!("\npushed {reference}\n121 of 121 blobs uploaded ")),
        "{screen}"
    );
    assert!(!screen.contains('['), "{screen}");
}

/// What is told while standard input is read is gone afterwards, whatever comes of it.
#[test]
fn standard_input_is_told_while_it_is_read() {
    if !installed(&["script"]) {
        return;
    }
    let registry = TestRegistry::start(Options::ghcr(USERNAME, TOKEN));
    let image = Image::small();
    let reference = format!("{}/owner/app:1", registry.host());
    for (read, code) in [("cat", 0), ("head -c 3000", 3)] {
        let words = format!("({read} image.tar; sleep 1) | ghcr-push - {reference}");
        let run = on_terminal(&image, &words);
        run.assert_code(code);
        let is_told = run.stdout.contains("reading standard input, ");
        assert!(is_told, "{:?}", run.stdout);
        let screen = Screen::of(&run.stdout);
        assert!(!screen.contains("reading"), "{screen}");
    }
}

/// A terminal that takes no escape sequences is sent none.
#[test]
fn a_dumb_terminal_gets_lines() {
    if !installed(&["script"]) {
        return;
    }
    let registry = TestRegistry::start(Options::ghcr(USERNAME, TOKEN));
    let image = Image::new(&SampleImage::of_layers(&[3_000_000]));
    let reference = format!("{}/owner/app:1", registry.host());
    let words = format!("TERM=dumb ghcr-push image.tar {reference}");
    let run = on_terminal(&image, &words);
    run.assert_code(0);
    assert!(!run.stdout.contains('\u{1b}'), "{:?}", run.stdout);
    assert!(run.stdout.contains("uploaded "), "{:?}", run.stdout);
}

/// `^C` is echoed behind the last line, and all lines go.
#[test]
fn an_interrupted_push_leaves_nothing_behind() {
    if !installed(&["script"]) {
        return;
    }
    let registry = TestRegistry::start(Options::ghcr(USERNAME, TOKEN));
    registry.fail(Fault::new(Action::Stall).on(Route::UploadCommit));
    let image = Image::new(&SampleImage::of_layers(&[3_000_000, 4_000_000, 5_000_000]));
    let reference = format!("{}/owner/app:1", registry.host());
    let run = on_terminal(
        &image,
        &format!(
            "ghcr-push image.tar {reference} & push=$!; sleep 1.5; printf '^C'; kill -INT $push; wait $push"
        ),
    );
    run.assert_code(130);
    assert!(run.stdout.contains("/4 blobs"), "{:?}", run.stdout);
    let screen = Screen::of(&run.stdout);
    let (before, after) = screen.split_once("\nerror: ").expect("an error is told");
    assert!(
        before.starts_with("credential for ") && !before.contains('['),
        "{screen}"
    );
    assert_eq!(
        after,
        format!(
            "the push was interrupted; 0 of 4 blobs are stored\n\nhint: run it again: blobs that are finished are not sent \
             again\nnot published {reference}"
        )
    );
}

/// A window that becomes narrower breaks lines anew: all of them go, counted as they stand then.
#[test]
fn a_narrower_window_keeps_nothing_of_what_stood_there() {
    if !installed(&["script"]) {
        return;
    }
    let registry = TestRegistry::start(Options::ghcr(USERNAME, TOKEN));
    let slow = Action::Delay(Duration::from_secs(3));
    registry.fail(Fault::new(slow).on(Route::UploadCommit));
    let image = Image::new(&SampleImage::of_layers(&[3_000_000, 4_000_000, 5_000_000]));
    let reference = format!("{}/owner/app:1", registry.host());
    let words =
        format!("ghcr-push image.tar {reference} & push=$!; sleep 1.5; stty cols 40; wait $push");
    let run = on_terminal(&image, &words);
    run.assert_code(0);
    let (before, after) = run.stdout.split_once("\r\u{1b}[0J").expect("all lines go");
    let (before, up) = before.rsplit_once("\u{1b}[").expect("the cursor goes up");
    let screen = Screen::of(before);
    // The announcement of the credential takes two lines.
    let drawn: Vec<&str> = screen.lines().skip(2).collect();
    let rows: usize = drawn.iter().map(|line| line.len().div_ceil(40)).sum();
    assert!(drawn.len() > 2 && rows > drawn.len(), "{screen}");
    assert_eq!(up, format!("{}A", rows - 1), "{screen}");
    assert!(
        after.contains("/4 blobs"),
        "they are drawn again: {after:?}"
    );
}
