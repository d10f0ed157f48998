//! Passwords: Argon2id, with the parameters in the hash, so that they can be raised later.

use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};

use super::AccessProblem;

pub const SHORTEST: usize = 10;
/// Hashing takes time by length; nobody types more.
pub const LONGEST: usize = 256;

pub fn hash(password: &str) -> Result<String, AccessProblem> {
    match password.chars().count() {
        0..SHORTEST => return Err(AccessProblem::ShortPassword),
        count if count > LONGEST => return Err(AccessProblem::LongPassword),
        _ => {}
    }
    let hash = Argon2::default().hash_password(password.as_bytes()).map_err(|_| AccessProblem::Hash)?;
    Ok(hash.to_string())
}

/// Takes as long for an account that does not exist or has no password, so that the time taken tells nothing.
pub fn matches(password: &str, stored: Option<&str>) -> bool {
    let nobody =
        "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    if password.chars().count() > LONGEST {
        return false;
    }
    let Ok(hash) = PasswordHash::new(stored.unwrap_or(nobody)) else { return false };
    let right = Argon2::default().verify_password(password.as_bytes(), &hash).is_ok();
    right && stored.is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_right_password_matches() {
        let stored = hash("correct horse").unwrap();
        assert!(stored.starts_with("$argon2id$"));
        assert!(matches("correct horse", Some(&stored)));
        assert!(!matches("correct horsf", Some(&stored)));
        assert!(!matches("", Some(&stored)));
        assert!(!matches("correct horse", None));
        assert!(!matches("correct horse", Some("nonsense")));
        assert_ne!(stored, hash("correct horse").unwrap());
    }

    #[test]
    fn too_short_and_too_long_are_refused() {
        assert!(matches!(hash("short"), Err(AccessProblem::ShortPassword)));
        assert!(matches!(hash(&"x".repeat(LONGEST + 1)), Err(AccessProblem::LongPassword)));
    }
}
