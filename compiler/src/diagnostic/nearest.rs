//! "Did you mean …?"

/// The candidate most like `name`, if any is like it at all.
///
/// Likeness is the number of single-character insertions, deletions, replacements and swaps of
/// neighbours that turn one into the other, letter case not counted. At most a third of the
/// name's length of them is allowed, and at least one.
pub fn nearest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let name = name.to_ascii_lowercase();
    let name = name.as_bytes();
    // Long names are never mistyped names; the cost of comparing grows with the square.
    if name.is_empty() || name.len() > 64 {
        return None;
    }
    let allowed = (name.len() / 3).max(1);
    let mut best: Option<(usize, &str)> = None;
    for candidate in candidates {
        if candidate.len().abs_diff(name.len()) > allowed {
            continue;
        }
        let distance = distance(name, candidate.to_ascii_lowercase().as_bytes());
        // A name that differs in as many places as it has letters is another name.
        let limit = allowed.min(candidate.len().saturating_sub(1));
        if distance <= limit && best.is_none_or(|(least, _)| distance < least) {
            best = Some((distance, candidate));
        }
    }
    best.map(|(_, candidate)| candidate)
}

/// Optimal string alignment distance.
fn distance(a: &[u8], b: &[u8]) -> usize {
    let width = b.len() + 1;
    let mut before_last = vec![0; width];
    let mut last: Vec<usize> = (0..width).collect();
    let mut row = vec![0; width];
    for i in 0..a.len() {
        row[0] = i + 1;
        for j in 0..b.len() {
            let replaced = last[j] + usize::from(a[i] != b[j]);
            let mut least = replaced.min(last[j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && a[i] == b[j - 1] && a[i - 1] == b[j] {
                least = least.min(before_last[j - 1] + 1);
            }
            row[j + 1] = least;
        }
        std::mem::swap(&mut before_last, &mut last);
        std::mem::swap(&mut last, &mut row);
    }
    last[b.len()]
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn finds_typing_mistakes_and_nothing_else() {
        let names = ["t_relay", "t_reply", "save", "lookup", "xlog", "is_method"];
        assert_eq!(nearest("t_realy", names), Some("t_relay"));
        assert_eq!(nearest("lokup", names), Some("lookup"));
        assert_eq!(nearest("XLOG", names), Some("xlog"));
        assert_eq!(nearest("ismethod", names), Some("is_method"));
        assert_eq!(nearest("frobnicate", names), None);
        assert_eq!(nearest("", names), None);
    }
}
