mod embedded;
mod support;
