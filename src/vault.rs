//! Seals the secrets that have to be read back (webhook secrets) with a key that is not in the database.
//!
//! What is sealed for a context opens for that context alone, so nothing that is sealed can be put in another's place.
//! A key can seal further keys: whoever deletes one of those has closed everything beneath it for good.
//!
//! The key lies in the data directory, readable by its owner only, or comes from `UPLINE_SECRET_KEY`. Passwords
//! and tokens are not sealed but hashed, elsewhere.

use std::fs;
use std::io::{ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{ChaCha20Poly1305, Key, Nonce};
use sha2::{Digest, Sha256};

#[derive(Debug, thiserror::Error)]
pub enum VaultError {
    #[error("the secret key in {path} cannot be used: it has to be 64 hexadecimal digits")]
    BadKey { path: String },
    #[error("the secret key file {path} cannot be read or written")]
    File { path: String, source: std::io::Error },
    #[error("no random numbers from the operating system")]
    NoRandomness,
    #[error("a stored secret cannot be opened with this key; was the data directory's secret.key replaced?")]
    WrongKey,
}

#[derive(Clone)]
pub struct Vault {
    cipher: ChaCha20Poly1305,
    fingerprint: [u8; 8],
}

const NONCE_BYTES: usize = 12;

impl Vault {
    /// From `UPLINE_SECRET_KEY` if set, else from `secret.key` in `dir`, which is made on first use.
    pub fn open(dir: &Path, from_env: Option<&str>) -> Result<Self, VaultError> {
        if let Some(hexadecimal) = from_env {
            return Self::from_hex(hexadecimal, "UPLINE_SECRET_KEY");
        }
        let path = dir.join("secret.key");
        let shown = path.display().to_string();
        let failed = |source| VaultError::File { path: shown.clone(), source };
        fs::create_dir_all(dir).map_err(failed)?;
        match fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path) {
            Ok(mut file) => {
                let key = hex::encode(random::<32>()?);
                file.write_all(key.as_bytes()).and_then(|()| file.sync_all()).map_err(failed)?;
                Self::from_hex(&key, &shown)
            }
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                Self::from_hex(&fs::read_to_string(&path).map_err(failed)?, &shown)
            }
            Err(error) => Err(failed(error)),
        }
    }

    /// `path` is where the digits are from, for who has to mend them.
    pub fn from_hex(hexadecimal: &str, path: &str) -> Result<Self, VaultError> {
        let bytes = hex::decode(hexadecimal.trim()).ok().and_then(|bytes| <[u8; 32]>::try_from(bytes).ok());
        bytes.map(Self::of).ok_or_else(|| VaultError::BadKey { path: path.to_owned() })
    }

    fn of(key: [u8; 32]) -> Self {
        let [a, b, c, d, e, f, g, h, ..] = <[u8; 32]>::from(
            Sha256::new().chain_update(b"upline key fingerprint").chain_update(key).finalize(),
        );
        Self { cipher: ChaCha20Poly1305::new(&Key::from(key)), fingerprint: [a, b, c, d, e, f, g, h] }
    }

    /// Tells one key from another without being of use to anybody.
    pub fn fingerprint(&self) -> String {
        hex::encode(self.fingerprint)
    }

    /// Nonce in front, then ciphertext and tag.
    pub fn seal(&self, secret: &[u8]) -> Result<Vec<u8>, VaultError> {
        self.seal_for("", secret)
    }

    pub fn open_sealed(&self, sealed: &[u8]) -> Result<Vec<u8>, VaultError> {
        self.open_for("", sealed)
    }

    pub fn seal_for(&self, context: &str, secret: &[u8]) -> Result<Vec<u8>, VaultError> {
        let nonce = random::<NONCE_BYTES>()?;
        let payload = Payload { msg: secret, aad: context.as_bytes() };
        let sealed = self.cipher.encrypt(&Nonce::from(nonce), payload).map_err(|_| VaultError::WrongKey)?;
        Ok([nonce.as_slice(), &sealed].concat())
    }

    pub fn open_for(&self, context: &str, sealed: &[u8]) -> Result<Vec<u8>, VaultError> {
        let (nonce, sealed) = sealed.split_at_checked(NONCE_BYTES).ok_or(VaultError::WrongKey)?;
        let nonce = <[u8; NONCE_BYTES]>::try_from(nonce).map_err(|_| VaultError::WrongKey)?;
        let payload = Payload { msg: sealed, aad: context.as_bytes() };
        self.cipher.decrypt(&Nonce::from(nonce), payload).map_err(|_| VaultError::WrongKey)
    }

    /// What `old` has sealed, sealed by this one. `None`: it is already.
    pub fn seal_again(&self, old: &Self, sealed: &[u8]) -> Result<Option<Vec<u8>>, VaultError> {
        match self.open_sealed(sealed) {
            Ok(_) => Ok(None),
            Err(_) => self.seal(&old.open_sealed(sealed)?).map(Some),
        }
    }

    /// A fresh key, and how it is kept: sealed by this one.
    pub fn key_below(&self, context: &str) -> Result<(Self, Vec<u8>), VaultError> {
        let key = random::<32>()?;
        Ok((Self::of(key), self.seal_for(context, &key)?))
    }

    pub fn open_key_below(&self, context: &str, sealed: &[u8]) -> Result<Self, VaultError> {
        let key = self.open_for(context, sealed)?;
        Ok(Self::of(<[u8; 32]>::try_from(key).map_err(|_| VaultError::WrongKey)?))
    }
}

/// Random bytes from the operating system.
pub fn random<const N: usize>() -> Result<[u8; N], VaultError> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|_| VaultError::NoRandomness)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sealed_secret_opens_only_with_its_key() {
        let vault = Vault::from_hex(&"ab".repeat(32), "test").unwrap();
        let sealed = vault.seal(b"hush").unwrap();
        assert_eq!(vault.open_sealed(&sealed).unwrap(), b"hush");
        let mut touched = sealed.clone();
        *touched.last_mut().unwrap() ^= 1;
        assert!(matches!(vault.open_sealed(&touched), Err(VaultError::WrongKey)));
        let other = Vault::from_hex(&"cd".repeat(32), "test").unwrap();
        assert!(other.open_sealed(&sealed).is_err());
        assert!(matches!(Vault::from_hex("short", "test"), Err(VaultError::BadKey { .. })));
    }

    #[test]
    fn a_secret_opens_in_its_own_place_alone() {
        let vault = Vault::from_hex(&"ab".repeat(32), "test").unwrap();
        let sealed = vault.seal_for("ann", b"hush").unwrap();
        assert_eq!(vault.open_for("ann", &sealed).unwrap(), b"hush");
        assert!(vault.open_for("bob", &sealed).is_err() && vault.open_sealed(&sealed).is_err());
        let next = Vault::from_hex(&"cd".repeat(32), "test").unwrap();
        let plain = vault.seal(b"hush").unwrap();
        let again = next.seal_again(&vault, &plain).unwrap().unwrap();
        assert!(next.seal_again(&vault, &again).unwrap().is_none() && vault.open_sealed(&again).is_err());
        let (below, kept) = vault.key_below("ann").unwrap();
        let hidden = below.seal(b"hush").unwrap();
        assert!(vault.open_sealed(&hidden).is_err() && vault.open_key_below("bob", &kept).is_err());
        let again = vault.open_key_below("ann", &kept).unwrap();
        assert_eq!(again.open_sealed(&hidden).unwrap(), b"hush");
        assert_eq!(again.fingerprint(), below.fingerprint());
        assert_ne!(again.fingerprint(), vault.fingerprint());
    }
}
