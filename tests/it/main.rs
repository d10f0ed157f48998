mod any_order;
mod embedded;
mod support;
