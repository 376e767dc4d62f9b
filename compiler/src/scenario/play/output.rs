//! Steps about what the server writes.

use std::time::Duration;

use tokio::time::Instant;

use super::{Failure, PATIENCE, Player, unmet};
use crate::scenario::check;
use crate::scenario::model::Pattern;
use crate::scenario::template::Template;

impl Player<'_> {
    pub(super) async fn prints(&mut self, texts: &[Template], line: u32) -> Result<(), Failure> {
        let until = Instant::now() + PATIENCE;
        for text in texts {
            // The log of a process comes on its own way.
            while !self.journal.log.has_printed() {
                self.take_arrivals()?;
                if self.journal.log.has_printed() {
                    break;
                }
                if Instant::now() >= until || self.stage.ended().is_some() {
                    let wanted = text.to_string();
                    let mut failure = unmet(line, "the script printed less", &wanted, "nothing");
                    failure.diff.extend(self.last_log());
                    return Err(failure);
                }
                self.arrival(Instant::now() + Duration::from_millis(20), line)
                    .await?;
            }
            let found = self.journal.log.take_printed().unwrap_or_default().to_vec();
            if !check::is_text(text, &found, &self.known())? {
                let wanted = String::from_utf8_lossy(&text.expand(&self.known())?).into_owned();
                let found = String::from_utf8_lossy(&found).into_owned();
                return Err(unmet(
                    text.line.max(line),
                    "the script printed something else",
                    &wanted,
                    &found,
                ));
            }
        }
        Ok(())
    }

    pub(super) async fn log(
        &mut self,
        pattern: &Pattern,
        count: Option<usize>,
        line: u32,
    ) -> Result<(), Failure> {
        let regex = check::compile(pattern, &self.known())?;
        let until = Instant::now() + Duration::from_secs(2);
        loop {
            self.take_arrivals()?;
            let found = self
                .journal
                .log
                .lines()
                .filter(|line| regex.is_match(line))
                .count();
            let over = Instant::now() >= until;
            match count {
                None if found > 0 => return Ok(()),
                Some(count) if found == count && (over || count > 0) => return Ok(()),
                _ if over => {
                    let wanted = match count {
                        None => format!("a line ~ {regex}"),
                        Some(count) => format!("{count} lines ~ {regex}"),
                    };
                    let mut failure = unmet(
                        line,
                        "the log is otherwise",
                        &wanted,
                        &format!("{found} lines"),
                    );
                    failure.diff.extend(self.last_log());
                    return Err(failure);
                }
                _ => {
                    self.arrival(Instant::now() + self.stage.settle(), line)
                        .await?;
                }
            }
        }
    }
}
