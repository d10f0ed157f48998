//! What PostgreSQL keeps of a password (RFC 5803), made here: the password itself never goes to the server, where a
//! log of statements would keep it.

use std::num::NonZeroU32;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ring::{digest, hmac, pbkdf2};

use super::problem::WarehouseProblem;

const ROUNDS: NonZeroU32 = NonZeroU32::MIN.saturating_add(4095);
const SHORTEST: usize = 12;

/// Of a password of printable ASCII: others would have to be normalised first.
pub fn verifier(password: &str) -> Result<String, WarehouseProblem> {
    if password.len() < SHORTEST || !password.chars().all(|c| c == ' ' || c.is_ascii_graphic()) {
        return Err(WarehouseProblem::Refused(format!(
            "the password has to be {SHORTEST} or more printable ASCII characters"
        )));
    }
    let mut salt = [0; 16];
    getrandom::fill(&mut salt)
        .map_err(|error| WarehouseProblem::Refused(format!("no random numbers: {error}")))?;
    Ok(with_salt(password, &salt))
}

fn with_salt(password: &str, salt: &[u8]) -> String {
    let mut salted = [0; digest::SHA256_OUTPUT_LEN];
    pbkdf2::derive(pbkdf2::PBKDF2_HMAC_SHA256, ROUNDS, salt, password.as_bytes(), &mut salted);
    let key = hmac::Key::new(hmac::HMAC_SHA256, &salted);
    let client = hmac::sign(&key, b"Client Key");
    let stored = digest::digest(&digest::SHA256, client.as_ref());
    let server = hmac::sign(&key, b"Server Key");
    let [salt, stored, server] = [salt, stored.as_ref(), server.as_ref()].map(|bytes| STANDARD.encode(bytes));
    format!("SCRAM-SHA-256${ROUNDS}:{salt}${stored}:{server}")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The exchange of RFC 7677: whoever has the verifier makes the same signature and accepts the same proof.
    #[test]
    fn the_verifier_answers_as_the_standard_says() {
        const NONCES: &str = "rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";
        let salt = STANDARD.decode("W22ZaJ0SNY7soEsUEjb6gQ==").unwrap();
        let verifier = with_salt("pencil", &salt);
        let (stored, server) = verifier.rsplit_once('$').unwrap().1.split_once(':').unwrap();
        let message = format!(
            "n=user,r=rOprNGfwEbeRWgbNEkqO,r={NONCES},s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096,c=biws,r={NONCES}"
        );
        let sign = |key: &str| {
            let key = hmac::Key::new(hmac::HMAC_SHA256, &STANDARD.decode(key).unwrap());
            hmac::sign(&key, message.as_bytes())
        };
        assert_eq!(STANDARD.encode(sign(server)), "6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=");
        let proof = STANDARD.decode("dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=").unwrap();
        let client: Vec<u8> = proof.iter().zip(sign(stored).as_ref()).map(|(a, b)| a ^ b).collect();
        assert_eq!(STANDARD.encode(digest::digest(&digest::SHA256, &client)), stored);
    }

    #[test]
    fn short_and_foreign_passwords_are_refused() {
        for wrong in ["", "short", "zwölf zeichen", "line\nline line"] {
            assert!(verifier(wrong).is_err(), "{wrong}");
        }
        assert!(verifier("correct horse battery").unwrap().starts_with("SCRAM-SHA-256$4096:"));
    }
}
