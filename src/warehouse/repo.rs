//! SQL of the warehouse: columns and rows of the schema `report`, and the rights of a role that reads it.

use diesel::result::Error as Diesel;
use diesel::sql_types::{Array, Bool, Integer, Nullable, Text};
use diesel::{PgConnection, QueryableByName, RunQueryDsl, sql_query};

use super::datasets::Dataset;
use super::problem::WarehouseProblem;
use super::values::{Column, Kind, Row};
use crate::db::DbError;

impl From<Diesel> for WarehouseProblem {
    fn from(error: Diesel) -> Self {
        Self::Db(error.into())
    }
}

/// Everything that `work` reads is of one instant, and may take as long as it takes.
pub fn in_one_snapshot<T>(
    conn: &mut PgConnection,
    work: impl FnOnce(&mut PgConnection) -> Result<T, WarehouseProblem>,
) -> Result<T, WarehouseProblem> {
    conn.build_transaction().read_only().repeatable_read().run(|conn| {
        sql_query("select set_config('statement_timeout', '0', true), set_config('cursor_tuple_fraction', '1', true)")
            .execute(conn)?;
        work(conn)
    })
}

#[derive(QueryableByName)]
struct Version {
    #[diesel(sql_type = Integer)]
    version: i32,
}

pub fn schema_version(conn: &mut PgConnection) -> Result<i32, DbError> {
    let newest: Version =
        sql_query("select max(version) as version from report.schema_version").get_result(conn)?;
    Ok(newest.version)
}

#[derive(QueryableByName)]
struct ColumnRow {
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Text)]
    type_name: String,
    #[diesel(sql_type = Integer)]
    modifier: i32,
}

/// The columns of a dataset as its view has them.
pub fn columns(conn: &mut PgConnection, dataset: &Dataset) -> Result<Vec<Column>, WarehouseProblem> {
    let rows: Vec<ColumnRow> = sql_query(
        "select a.attname::text as name, t.typname::text as type_name, a.atttypmod as modifier
         from pg_attribute a join pg_type t on t.oid = a.atttypid
         where a.attrelid = ('report.' || quote_ident($1))::regclass and a.attnum > 0 and not a.attisdropped
         order by a.attnum",
    )
    .bind::<Text, _>(dataset.name)
    .load(conn)?;
    let kept = rows.into_iter().filter(|row| !dataset.left_out.contains(&row.name.as_str()));
    kept.map(|row| match Kind::of(&row.type_name, row.modifier) {
        Some(kind) => Ok(Column { name: row.name, kind }),
        None => Err(WarehouseProblem::UnknownType {
            dataset: dataset.name,
            column: row.name,
            type_name: row.type_name,
        }),
    })
    .collect()
}

#[derive(QueryableByName)]
struct Cells {
    #[diesel(sql_type = Array<Nullable<Text>>)]
    cells: Vec<Option<String>>,
}

/// Rows that are in memory at a time.
const FETCHED: usize = 2_000;

/// Hands out the rows of a dataset in its order, without ever holding all of them.
pub fn each_row(
    conn: &mut PgConnection,
    dataset: &Dataset,
    columns: &[Column],
    period: &str,
    mut take: impl FnMut(Row) -> Result<(), WarehouseProblem>,
) -> Result<(), WarehouseProblem> {
    let cells: Vec<String> = columns.iter().map(Column::expression).collect();
    sql_query(format!(
        "declare exported no scroll cursor for
         select array[{}]::text[] as cells from report.{} where {} order by {}",
        cells.join(", "),
        dataset.name,
        dataset.rows,
        dataset.order,
    ))
    .bind::<Text, _>(period)
    .execute(conn)?;
    loop {
        let rows: Vec<Cells> = sql_query(format!("fetch {FETCHED} from exported")).load(conn)?;
        let is_last = rows.len() < FETCHED;
        rows.into_iter().try_for_each(|row| take(row.cells))?;
        if is_last {
            break;
        }
    }
    sql_query("close exported").execute(conn)?;
    Ok(())
}

/// What is known of a role before it gets its rights.
#[derive(QueryableByName)]
pub struct RoleFacts {
    #[diesel(sql_type = Text)]
    pub database: String,
    /// We may make roles.
    #[diesel(sql_type = Bool)]
    pub may_create: bool,
    #[diesel(sql_type = Bool)]
    pub exists: bool,
    /// It can do more than read what it is granted.
    #[diesel(sql_type = Bool)]
    pub is_mighty: bool,
}

pub fn role_facts(conn: &mut PgConnection, role: &str) -> Result<RoleFacts, DbError> {
    Ok(sql_query(
        "select current_database()::text as database,
                coalesce((select rolsuper or rolcreaterole from pg_roles where rolname = current_user), false) as may_create,
                r.rolname is not null as exists,
                coalesce(r.rolsuper or r.rolcreaterole or r.rolcreatedb or r.rolreplication or r.rolbypassrls
                         or exists (select from pg_auth_members m where m.member = r.oid), false) as is_mighty
         from (values ($1)) as asked(role) left join pg_roles r on r.rolname = asked.role",
    )
    .bind::<Text, _>(role)
    .get_result(conn)?)
}

pub fn run(conn: &mut PgConnection, statement: &str) -> Result<(), DbError> {
    sql_query(statement).execute(conn)?;
    Ok(())
}

#[derive(QueryableByName)]
struct Named {
    #[diesel(sql_type = Text)]
    name: String,
}

/// What a role can read or change that is not the schema `report`, and what it can change there.
pub fn reaches(conn: &mut PgConnection, role: &str) -> Result<Vec<String>, DbError> {
    let found: Vec<Named> = sql_query(
        "select format('%I.%I', n.nspname, c.relname) as name
         from pg_class c join pg_namespace n on n.oid = c.relnamespace
         where c.relkind in ('r', 'p', 'v', 'm', 'f', 'S')
           and n.nspname not in ('information_schema') and n.nspname !~ '^pg_'
           and (has_table_privilege($1, c.oid, 'insert, update, delete, truncate, references, trigger')
                or n.nspname <> 'report' and (has_table_privilege($1, c.oid, 'select')
                                              or c.relkind <> 'S' and has_any_column_privilege($1, c.oid, 'select, update')))
         union all
         select format('%I.%I()', n.nspname, p.proname)
         from pg_proc p join pg_namespace n on n.oid = p.pronamespace
         where p.prosecdef and n.nspname not in ('information_schema') and n.nspname !~ '^pg_'
           and has_function_privilege($1, p.oid, 'execute')
         order by 1",
    )
    .bind::<Text, _>(role)
    .load(conn)?;
    Ok(found.into_iter().map(|found| found.name).collect())
}

/// The views and tables of the schema that a role can read.
pub fn readable(conn: &mut PgConnection, role: &str) -> Result<Vec<String>, DbError> {
    let found: Vec<Named> = sql_query(
        "select c.relname::text as name from pg_class c
         where c.relnamespace = 'report'::regnamespace and c.relkind in ('r', 'v')
           and has_table_privilege($1, c.oid, 'select')
         order by 1",
    )
    .bind::<Text, _>(role)
    .load(conn)?;
    Ok(found.into_iter().map(|found| found.name).collect())
}
