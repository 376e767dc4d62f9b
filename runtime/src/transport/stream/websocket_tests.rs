use super::*;

#[test]
fn frame_headers_say_text_or_binary_and_the_length() {
    let mut out = [0; LONGEST_HEAD];
    for (data, want) in [
        (&b"\r\n"[..], &[0x81, 2][..]),
        (b"\xff\xfe", &[0x82, 2]),
        (&[b'a'; 200], &[0x81, 126, 0, 200]),
        (&[b'a'; 70_000], &[0x81, 127, 0, 0, 0, 0, 0, 1, 0x11, 0x70]),
    ] {
        let len = head(data, &mut out);
        assert_eq!(&out[..len], want);
    }
}

#[test]
fn a_long_reason_is_cut_between_characters() {
    let farewell = Farewell {
        code: 4000,
        reason: "ä".repeat(100),
    };
    assert_eq!(farewell.frame().reason.as_str().len(), 122);
}
