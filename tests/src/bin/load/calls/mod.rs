//! Calls through a proxy: INVITE, 100, 180, 200, ACK, BYE, 200, record-routed. Both ends of each
//! call are here, on one socket, which is where the proxy sends requests and answers alike.
//!
//! Invariant: every message that comes is checked; a call counts when its BYE is answered and its
//! ACK has come.

mod callee;
mod caller;
mod text;

use std::collections::HashMap;
use std::net::{SocketAddr, UdpSocket};
use std::time::{Duration, Instant};

use crate::Result;
use callee::Taken;
use caller::{Answer, Stage};
use text::Text;

/// What the two ends send each other as a body.
const OFFER: &str = "v=0\r\no=- 53655765 2353687637 IN IP4 127.0.0.1\r\ns=-\r\n\
    c=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 6000 RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\n";
/// After how long without progress a call's request is sent again.
const LOST: Duration = Duration::from_secs(1);
/// How often before the call counts as failed.
const ATTEMPTS: u32 = 8;

struct Call {
    stage: Stage,
    acknowledged: bool,
    ended: bool,
    sent: Instant,
    attempts: u32,
    /// ACK and BYE, once there are.
    follow: Option<(String, String)>,
}

#[derive(Default)]
struct Count {
    done: u64,
    trying: u64,
    ringing: u64,
    resent: u64,
}

struct Load {
    socket: UdpSocket,
    target: SocketAddr,
    local: SocketAddr,
    calls: HashMap<u64, Call>,
    count: Count,
    answers: Vec<String>,
}

/// Makes `count` calls, at most `outstanding` at a time and `rate` a second.
///
/// # Errors
/// A wrong message, or a call that comes to no end.
pub fn load(
    target: &str,
    local: &str,
    count: &str,
    outstanding: &str,
    rate: Option<&str>,
) -> Result<()> {
    let (local, count): (SocketAddr, u64) = (local.parse()?, count.parse()?);
    let outstanding: usize = outstanding.parse()?;
    let rate: Option<f64> = rate.map(str::parse).transpose()?;
    let mut load = Load {
        socket: UdpSocket::bind(local)?,
        target: target.parse()?,
        local,
        calls: HashMap::new(),
        count: Count::default(),
        answers: Vec::new(),
    };
    let tick = Duration::from_millis(if rate.is_some() { 1 } else { 100 });
    load.socket.set_read_timeout(Some(tick))?;
    let started = Instant::now();
    // Numbers differ between runs: the proxy still remembers the transactions of the last.
    let first = u64::from(std::process::id()) << 32;
    let (mut next, mut buffer, mut checked) = (0, vec![0; 65_536], started);
    while load.count.done < count {
        let now = Instant::now();
        let due = rate.map_or(count, |rate| {
            count.min((now.duration_since(started).as_secs_f64() * rate) as u64)
        });
        while next < due && load.calls.len() < outstanding {
            load.begin(first + next)?;
            next += 1;
        }
        if now.duration_since(checked) > LOST / 2 {
            checked = now;
            load.send_again(now)?;
        }
        match load.socket.recv(&mut buffer) {
            Ok(length) => load.take(&buffer[..length])?,
            Err(error)
                if matches!(
                    error.kind(),
                    std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut
                ) => {}
            Err(error) => return Err(error.into()),
        }
    }
    let time = started.elapsed().as_secs_f64();
    let Count {
        done,
        trying,
        ringing,
        resent,
    } = load.count;
    println!(
        "{done} calls in {time:.3} s: {:.0}/s; {trying} times 100, {ringing} times 180, \
         {resent} sent again, 0 failed",
        done as f64 / time
    );
    Ok(())
}

impl Load {
    fn send(&self, message: &str) -> Result<()> {
        self.socket.send_to(message.as_bytes(), self.target)?;
        Ok(())
    }

    fn begin(&mut self, number: u64) -> Result<()> {
        self.send(&caller::invite(number, self.target, self.local))?;
        let call = Call {
            stage: Stage::Inviting,
            acknowledged: false,
            ended: false,
            sent: Instant::now(),
            attempts: 1,
            follow: None,
        };
        self.calls.insert(number, call);
        Ok(())
    }

    fn take(&mut self, bytes: &[u8]) -> Result<()> {
        let text = Text::new(bytes)?;
        let number = if text.first_line().starts_with("SIP/2.0 ") {
            self.take_answer(text)?
        } else {
            self.take_request(text)?
        };
        if let Some(number) = number
            && let Some(call) = self.calls.get(&number)
            && call.acknowledged
            && call.ended
        {
            self.calls.remove(&number);
            self.count.done += 1;
        }
        Ok(())
    }

    fn take_request(&mut self, request: Text<'_>) -> Result<Option<u64>> {
        let mut answers = std::mem::take(&mut self.answers);
        let taken = callee::take(request, self.local, &mut answers)?;
        for answer in answers.drain(..) {
            self.send(&answer)?;
        }
        self.answers = answers;
        let Taken::Ack(number) = taken else {
            return Ok(None);
        };
        if let Some(call) = self.calls.get_mut(&number) {
            call.acknowledged = true;
        }
        Ok(Some(number))
    }

    fn take_answer(&mut self, answer: Text<'_>) -> Result<Option<u64>> {
        let Some(number) = answer.call() else {
            return Err(answer.wrong("no Call-ID of ours").into());
        };
        let taken = caller::take(answer, number, self.target, self.local)?;
        let Some(call) = self.calls.get_mut(&number) else {
            // An answer that came again.
            return Ok(None);
        };
        match taken {
            Answer::Provisional(100) => self.count.trying += 1,
            Answer::Provisional(_) => self.count.ringing += 1,
            Answer::Established { ack, bye } => {
                let again = call.stage == Stage::Ending;
                call.stage = Stage::Ending;
                call.sent = Instant::now();
                call.follow = Some((ack.clone(), bye.clone()));
                self.send(&ack)?;
                if !again {
                    self.send(&bye)?;
                }
            }
            Answer::Ended => call.ended = true,
        }
        Ok(Some(number))
    }

    fn send_again(&mut self, now: Instant) -> Result<()> {
        for (number, call) in &mut self.calls {
            if now.duration_since(call.sent) < LOST {
                continue;
            }
            call.sent = now;
            call.attempts += 1;
            if call.attempts > ATTEMPTS {
                let (stage, acknowledged) = (call.stage, call.acknowledged);
                return Err(format!(
                    "call {number} came to no end: {stage:?}, ACK arrived: {acknowledged}"
                )
                .into());
            }
            let mut requests = Vec::new();
            match &call.follow {
                None => requests.push(caller::invite(*number, self.target, self.local)),
                Some((ack, bye)) => requests.extend([ack.clone(), bye.clone()]),
            }
            for request in requests {
                self.socket.send_to(request.as_bytes(), self.target)?;
            }
            self.count.resent += 1;
        }
        Ok(())
    }
}
