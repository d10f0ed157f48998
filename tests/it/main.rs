mod any_order;
mod chaos;
mod embedded;
mod support;
