//! Which failure answer of a forked request goes upstream: RFC 3261 §16.7 step 6, in the order
//! that Kamailio 5.6 keeps.
//!
//! Invariant: nothing is picked while a branch is pending, nor without any branch.

/// Picks among the statuses of branches: `None` for one that was never sent. The answer is the
/// position of the best; of equal ones the first.
pub(crate) fn pick(statuses: impl Iterator<Item = Option<u16>>) -> Option<usize> {
    let mut best: Option<(u16, usize)> = None;
    for (position, status) in statuses.enumerate() {
        let Some(status) = status else { continue };
        if status < 200 {
            return None;
        }
        let rank = rank(status);
        if best.is_none_or(|(lowest, _)| rank < lowest) {
            best = Some((rank, position));
        }
    }
    best.map(|(_, position)| position)
}

/// The rank of a final status, the lowest is preferred: 6xx, then the lowest class; in 4xx those
/// that the caller can act on (401, 407, 415, 420, 484) first; then the lowest number.
fn rank(status: u16) -> u16 {
    match status {
        401 | 407 | 415 | 420 | 484 => 4_000 + status - 400,
        400..500 => 4_100 + status - 400,
        600.. => status,
        _ => status / 100 * 1_000 + status % 100,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefers_as_kamailio_does() {
        // In this order each status wins over all that follow, whichever comes first.
        let order = [
            600, 603, 300, 302, 401, 407, 415, 420, 484, 400, 403, 404, 408, 480, 486, 487, 500,
            503, 504,
        ];
        for (position, &better) in order.iter().enumerate() {
            for &worse in &order[position + 1..] {
                let pair = |a, b| pick([Some(a), Some(b)].into_iter());
                assert_eq!(pair(better, worse), Some(0), "{better} {worse}");
                assert_eq!(pair(worse, better), Some(1), "{worse} {better}");
            }
        }
    }

    #[test]
    fn waits_for_pending_branches_and_skips_unsent_ones() {
        assert_eq!(pick([Some(486), Some(180)].into_iter()), None);
        assert_eq!(pick([None, Some(486), Some(486)].into_iter()), Some(1));
        assert_eq!(pick([None, None].into_iter()), None);
    }
}
