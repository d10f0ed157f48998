//! Addresses of databases, as URLs or as libpq's `keyword=value` words.

use url::Url;

/// An address that may stand on a command line, and the password that may not.
pub struct Address {
    pub address: String,
    pub password: Option<String>,
}

fn is_url(address: &str) -> bool {
    address.starts_with("postgres://") || address.starts_with("postgresql://")
}

fn parse(address: &str) -> Result<Url, String> {
    Url::parse(address).map_err(|error| format!("the address of the database cannot be read: {error}"))
}

/// Takes the password out.
pub fn without_password(address: &str) -> Result<Address, String> {
    if !is_url(address) {
        let (with, without): (Vec<&str>, Vec<&str>) =
            address.split_whitespace().partition(|word| word.starts_with("password="));
        let password =
            with.first().and_then(|word| word.split_once('=')).map(|(_, value)| value.trim_matches('\''));
        return Ok(Address { address: without.join(" "), password: password.map(str::to_owned) });
    }
    let mut url = parse(address)?;
    let password = url
        .password()
        .map(|password| percent_encoding::percent_decode_str(password).decode_utf8_lossy().into_owned());
    url.set_password(None).map_err(|()| "the address of the database has no host".to_owned())?;
    Ok(Address { address: url.into(), password })
}

/// The same server, another database. `name` needs no quoting.
pub fn on_database(address: &str, name: &str) -> Result<String, String> {
    if !is_url(address) {
        // Of two words the last one counts.
        return Ok(format!("{address} dbname={name}"));
    }
    let mut url = parse(address)?;
    url.set_path(name);
    Ok(url.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_taken_out_of_both_forms() {
        let url = without_password("postgres://ann:p%40ss@db:5433/upline?sslmode=require").unwrap();
        assert_eq!(url.address, "postgres://ann@db:5433/upline?sslmode=require");
        assert_eq!(url.password.as_deref(), Some("p@ss"));
        let words = without_password("host=/run/pg user=ann password='secret' dbname=upline").unwrap();
        assert_eq!(words.address, "host=/run/pg user=ann dbname=upline");
        assert_eq!(words.password.as_deref(), Some("secret"));
        assert_eq!(without_password("host=/run/pg dbname=upline").unwrap().password, None);
    }

    #[test]
    fn another_database_on_the_same_server() {
        assert_eq!(on_database("postgres://db/upline", "other").unwrap(), "postgres://db/other");
        assert_eq!(
            on_database("host=/run dbname=upline", "other").unwrap(),
            "host=/run dbname=upline dbname=other"
        );
    }
}
