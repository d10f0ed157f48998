//! As much of GraphQL as it takes to answer with what was asked for and nothing else: selections, arguments,
//! fragments on a type, `@include`, connections with `first` and `after`.
//!
//! A connection is an object `{"$nodes": [...]}`; a node's `$cursor` is its place, its index where it has none. What a
//! type does not have is an error, as the platform's is.

use serde_json::{Map, Value, json};

#[derive(Clone, Debug)]
pub enum Selection {
    Field { name: String, arguments: Vec<(String, Argument)>, include: Option<Argument>, of: Vec<Selection> },
    On { kind: String, of: Vec<Selection> },
}

#[derive(Clone, Debug)]
pub enum Argument {
    Variable(String),
    Value(Value),
}

impl Argument {
    pub fn value(&self, variables: &Value) -> Value {
        match self {
            Self::Variable(name) => variables[name].clone(),
            Self::Value(value) => value.clone(),
        }
    }
}

/// The selections of a document with one operation.
pub fn parse(document: &str) -> Result<Vec<Selection>, String> {
    let tokens = tokens(document)?;
    let mut at = 0;
    let mut depth = 0;
    // Past the operation's name and its variables.
    while at < tokens.len() && (depth > 0 || tokens[at] != "{") {
        match tokens[at].as_str() {
            "(" => depth += 1,
            ")" => depth -= 1,
            _ => {}
        }
        at += 1;
    }
    let mut parser = Parser { tokens, at };
    let found = parser.selections()?;
    match parser.at == parser.tokens.len() {
        true => Ok(found),
        false => Err("Parse error: unexpected end".to_owned()),
    }
}

fn tokens(document: &str) -> Result<Vec<String>, String> {
    let mut tokens = vec![];
    let mut rest = document;
    while let Some(next) = rest.chars().next() {
        let length = match next {
            c if c.is_whitespace() || c == ',' => {
                rest = &rest[c.len_utf8()..];
                continue;
            }
            '"' => rest[1..].find('"').ok_or("Parse error: a string without end")? + 2,
            '.' if rest.starts_with("...") => 3,
            c if c.is_alphanumeric() || c == '_' => {
                rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len())
            }
            _ => next.len_utf8(),
        };
        tokens.push(rest[..length].to_owned());
        rest = &rest[length..];
    }
    Ok(tokens)
}

struct Parser {
    tokens: Vec<String>,
    at: usize,
}

impl Parser {
    fn peek(&self) -> &str {
        self.tokens.get(self.at).map_or("", String::as_str)
    }

    fn next(&mut self) -> String {
        self.at += 1;
        self.tokens.get(self.at - 1).cloned().unwrap_or_default()
    }

    fn expect(&mut self, wanted: &str) -> Result<(), String> {
        match self.next() {
            found if found == wanted => Ok(()),
            found => Err(format!("Parse error on {found:?}, expected {wanted:?}")),
        }
    }

    fn selections(&mut self) -> Result<Vec<Selection>, String> {
        self.expect("{")?;
        let mut found = vec![];
        while self.peek() != "}" {
            if self.peek().is_empty() {
                return Err("Parse error: unexpected end of file".to_owned());
            }
            found.push(self.selection()?);
        }
        self.at += 1;
        Ok(found)
    }

    fn selection(&mut self) -> Result<Selection, String> {
        if self.peek() == "..." {
            self.at += 1;
            self.expect("on")?;
            return Ok(Selection::On { kind: self.next(), of: self.selections()? });
        }
        let name = self.next();
        let arguments = self.arguments()?;
        let include = self.include()?;
        let of = if self.peek() == "{" { self.selections()? } else { vec![] };
        Ok(Selection::Field { name, arguments, include, of })
    }

    fn arguments(&mut self) -> Result<Vec<(String, Argument)>, String> {
        let mut found = vec![];
        if self.peek() != "(" {
            return Ok(found);
        }
        self.at += 1;
        while self.peek() != ")" {
            let name = self.next();
            self.expect(":")?;
            found.push((name, self.argument()?));
        }
        self.at += 1;
        Ok(found)
    }

    fn argument(&mut self) -> Result<Argument, String> {
        let token = self.next();
        if token == "$" {
            return Ok(Argument::Variable(self.next()));
        }
        if token.is_empty() {
            return Err("Parse error: an argument without a value".to_owned());
        }
        // Enumerated values are written as names.
        Ok(Argument::Value(serde_json::from_str(&token).unwrap_or_else(|_| json!(token))))
    }

    fn include(&mut self) -> Result<Option<Argument>, String> {
        if self.peek() != "@" {
            return Ok(None);
        }
        self.at += 1;
        self.expect("include")?;
        let mut arguments = self.arguments()?;
        Ok(arguments.pop().map(|(_, value)| value))
    }
}

/// What was selected of a value.
pub fn select(value: &Value, of: &[Selection], variables: &Value) -> Result<Value, String> {
    match value {
        Value::Null => Ok(Value::Null),
        Value::Array(items) => {
            items.iter().map(|item| select(item, of, variables)).collect::<Result<_, _>>().map(Value::Array)
        }
        Value::Object(fields) => {
            let mut found = Map::new();
            fill(&mut found, fields, of, variables)?;
            Ok(Value::Object(found))
        }
        scalar if of.is_empty() => Ok(scalar.clone()),
        _ => Err("Selections can't be made on scalars".to_owned()),
    }
}

fn fill(
    found: &mut Map<String, Value>,
    fields: &Map<String, Value>,
    of: &[Selection],
    variables: &Value,
) -> Result<(), String> {
    for selection in of {
        match selection {
            Selection::On { kind, of } if fields.get("__typename") == Some(&json!(kind)) => {
                fill(found, fields, of, variables)?;
            }
            Selection::On { .. } => {}
            Selection::Field { include: Some(include), .. } if include.value(variables) != json!(true) => {}
            Selection::Field { name, arguments, of, .. } => {
                let Some(value) = fields.get(name) else {
                    let kind = fields.get("__typename").and_then(Value::as_str).unwrap_or("?");
                    return Err(format!("Field '{name}' doesn't exist on type '{kind}'"));
                };
                let value = match value.get("$nodes") {
                    Some(nodes) => connection(nodes, arguments, of, variables)?,
                    None => leaf(name, value, of, variables)?,
                };
                found.insert(name.clone(), value);
            }
        }
    }
    Ok(())
}

fn leaf(name: &str, value: &Value, of: &[Selection], variables: &Value) -> Result<Value, String> {
    let is_object =
        value.is_object() || value.as_array().is_some_and(|list| list.iter().any(Value::is_object));
    match (is_object, of.is_empty()) {
        (true, true) => Err(format!("Field '{name}' must have selections")),
        (false, _) => Ok(value.clone()),
        (true, false) => select(value, of, variables),
    }
}

pub fn cursor(node: &Value, index: usize) -> String {
    node["$cursor"].as_str().map_or_else(|| format!("{index:06}"), str::to_owned)
}

fn connection(
    nodes: &Value,
    arguments: &[(String, Argument)],
    of: &[Selection],
    variables: &Value,
) -> Result<Value, String> {
    let argument = |name: &str| {
        let found = arguments.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.value(variables)).filter(|value| !value.is_null())
    };
    let first = argument("first").and_then(|first| first.as_u64());
    let first = first.ok_or("you must provide one of first or last")?;
    if !(1..=250).contains(&first) {
        return Err(format!("first must be between 1 and 250, got {first}"));
    }
    let after = argument("after").and_then(|after| after.as_str().map(str::to_owned));
    let all = nodes.as_array().expect("nodes").iter().enumerate();
    let behind: Vec<(String, &Value)> = all
        .map(|(index, node)| (cursor(node, index), node))
        .filter(|(cursor, _)| after.as_ref().is_none_or(|after| cursor > after))
        .collect();
    let shown = &behind[..behind.len().min(usize::try_from(first).unwrap())];
    let info = json!({
        "__typename": "PageInfo",
        "hasNextPage": shown.len() < behind.len(),
        "endCursor": shown.last().map(|(cursor, _)| cursor),
    });
    let edge =
        |(cursor, node): &(String, &Value)| json!({"__typename": "Edge", "cursor": cursor, "node": node});
    let whole = json!({
        "__typename": "Connection",
        "nodes": shown.iter().map(|(_, node)| (*node).clone()).collect::<Vec<_>>(),
        "edges": shown.iter().map(edge).collect::<Vec<_>>(),
        "pageInfo": info,
    });
    select(&whole, of, variables)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_for_is_answered_and_nothing_else() {
        let order = json!({"__typename": "Order", "id": "o", "secret": 1, "money": {"amount": "1.0"},
            "lines": {"$nodes": [{"__typename": "A", "id": "a", "x": 1}, {"__typename": "B", "id": "b"}]}});
        let ask = |text: &str, variables: Value| select(&order, &parse(text).unwrap(), &variables);
        let query = "query Q($first: Int!, $more: Boolean = false) {
            id money { amount } lines(first: $first, after: null) {
                edges { cursor node { id ... on A { x } } } pageInfo { hasNextPage endCursor }
            } secret @include(if: $more)
        }";
        let wanted = json!({"id": "o", "money": {"amount": "1.0"}, "lines": {
            "edges": [{"cursor": "000000", "node": {"id": "a", "x": 1}}],
            "pageInfo": {"hasNextPage": true, "endCursor": "000000"}}});
        assert_eq!(ask(query, json!({"first": 1})), Ok(wanted));
        let rest = ask("{ lines(first: 9, after: \"000000\") { nodes { id } } }", json!({})).unwrap();
        assert_eq!(rest, json!({"lines": {"nodes": [{"id": "b"}]}}));
        for wrong in [
            "{ nothing }",
            "{ money }",
            "{ lines { nodes { id } } }",
            "{ lines(first: 251) { nodes { id } } }",
        ] {
            assert!(ask(wrong, json!({})).is_err(), "{wrong}");
        }
        assert!(parse("{ id ").is_err() && parse("{ id } }").is_err());
    }
}
