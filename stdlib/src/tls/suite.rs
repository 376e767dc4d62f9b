//! Cipher suites in OpenSSL's words.

/// IANA's names of the suites of TLS 1.2 that there are, and OpenSSL's. Those of TLS 1.3 have one
/// name.
const NAMES: [(&str, &str); 6] = [
    (
        "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
        "ECDHE-ECDSA-AES256-GCM-SHA384",
    ),
    (
        "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
        "ECDHE-ECDSA-AES128-GCM-SHA256",
    ),
    (
        "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
        "ECDHE-ECDSA-CHACHA20-POLY1305",
    ),
    (
        "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
        "ECDHE-RSA-AES256-GCM-SHA384",
    ),
    (
        "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
        "ECDHE-RSA-AES128-GCM-SHA256",
    ),
    (
        "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
        "ECDHE-RSA-CHACHA20-POLY1305",
    ),
];

/// OpenSSL's name of a suite.
pub(super) fn openssl(iana: &str) -> &str {
    let known = NAMES.iter().find(|(name, _)| *name == iana);
    known.map_or(iana, |(_, openssl)| openssl)
}

/// A suite as `openssl ciphers -v` describes it, with a line feed.
pub(super) fn description(iana: &str, version: &str) -> String {
    let (exchange, authority) = match iana {
        name if name.contains("ECDHE_ECDSA") => ("ECDH", "ECDSA"),
        name if name.contains("ECDHE_RSA") => ("ECDH", "RSA"),
        _ => ("any", "any"),
    };
    let encryption = match iana {
        name if name.contains("AES_128") => "AESGCM(128)",
        name if name.contains("AES_256") => "AESGCM(256)",
        _ => "CHACHA20/POLY1305(256)",
    };
    format!(
        "{:<30} {version:<7} Kx={exchange:<8} Au={authority:<5} Enc={encryption:<22} Mac=AEAD\n",
        openssl(iana)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn suites_are_described_as_openssl_does() {
        assert_eq!(
            description("TLS_AES_256_GCM_SHA384", "TLSv1.3"),
            "TLS_AES_256_GCM_SHA384         TLSv1.3 Kx=any      Au=any   \
             Enc=AESGCM(256)            Mac=AEAD\n"
        );
        assert_eq!(
            description("TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384", "TLSv1.2"),
            "ECDHE-RSA-AES256-GCM-SHA384    TLSv1.2 Kx=ECDH     Au=RSA   \
             Enc=AESGCM(256)            Mac=AEAD\n"
        );
    }
}
