//! What people and programs read: queries over what the other rooms recorded. Writes nothing.

pub mod api;
