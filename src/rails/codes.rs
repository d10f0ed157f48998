//! What the codes of banks mean, in our words: returns and notifications of change of NACHA, external status reasons
//! of ISO 20022. A code that is not listed is shown as it came.

/// NACHA, addenda 99.
pub(super) fn returned(code: &str) -> Option<&'static str> {
    Some(match code {
        "R01" => "not enough money on the account",
        "R02" => "the account is closed",
        "R03" => "no such account, or it belongs to somebody else",
        "R04" => "the account number cannot exist",
        "R05" => "a debit of a person's account by a company's form was not allowed",
        "R06" => "sent back because the sending bank asked for it",
        "R07" => "the holder took the permission back",
        "R08" => "the holder stopped the payment",
        "R09" => "the money on the account is not collected yet",
        "R10" => "the holder does not know the sender or did not allow it",
        "R11" => "the entry is not what the holder allowed",
        "R12" => "the branch was sold to another bank",
        "R13" => "the routing number is of no bank that takes part",
        "R14" => "who received for the holder died or cannot any more",
        "R15" => "the holder died",
        "R16" => "the account is frozen, or the payment is barred by the authorities",
        "R17" => "the entry failed the bank's checks, or its account number looks like fraud",
        "R18" => "the effective date is not possible",
        "R19" => "the amount is not possible",
        "R20" => "the account does not take such payments",
        "R21" => "the company's identification is wrong",
        "R22" => "the receiver's identification is wrong",
        "R23" => "the receiver refused the credit",
        "R24" => "the entry looks like one that was sent before",
        "R25" => "an addenda record is wrong",
        "R26" => "a mandatory field is wrong",
        "R27" => "the trace number is wrong",
        "R28" => "the routing number's check digit is wrong",
        "R29" => "the company that holds the account did not allow it",
        "R31" => "sent back with the sending bank's consent",
        "R32" => "the receiving bank could not settle",
        "R34" => "the receiving bank takes part in a limited way only",
        "R35" => "a debit was not allowed here",
        "R36" => "a credit was not allowed here",
        "R37" => "the paper it was made from was paid as well",
        "R38" => "the paper it was made from was stopped",
        "R39" => "the paper it was made from may not be used for this",
        "R80" | "R81" | "R82" | "R83" | "R84" | "R85" => "an international payment could not be done",
        _ => return None,
    })
}

/// Returns of returns: the banks argue with each other, and nobody can say yet where the money stays.
pub(super) fn is_dispute(code: &str) -> bool {
    let number = code.strip_prefix('R').and_then(|digits| digits.parse::<u32>().ok());
    number.is_some_and(|number| (61..=79).contains(&number))
}

/// NACHA, addenda 98: the payment went well, the next one needs other data.
pub(super) fn change(code: &str) -> Option<&'static str> {
    Some(match code {
        "C01" => "the account number has to be changed",
        "C02" => "the routing number has to be changed",
        "C03" => "the routing number and the account number have to be changed",
        "C04" => "the receiver's name has to be changed",
        "C05" => "checking and savings are mixed up",
        "C06" => "the account number has to be changed, and checking and savings are mixed up",
        "C07" => "routing number, account number and kind of account have to be changed",
        "C08" => "the receiving bank's identification has to be changed",
        "C09" => "the receiver's identification has to be changed",
        "C13" => "an addenda record has a wrong form",
        "C14" => "the entry belongs into another class",
        _ => return None,
    })
}

/// ISO 20022, external status and return reasons as they occur with credit transfers.
pub(super) fn iso(code: &str) -> Option<&'static str> {
    Some(match code {
        "AC01" => "the account number is wrong",
        "AC03" => "the payee's account number is wrong",
        "AC04" => "the account is closed",
        "AC06" => "the account is blocked",
        "AC13" => "the account is of the wrong kind",
        "AG01" => "such payments are not allowed on this account",
        "AG02" => "the bank does not know this kind of payment",
        "AM01" => "the amount is zero",
        "AM02" => "the amount is more than is allowed",
        "AM03" => "the currency is not possible",
        "AM04" => "not enough money on the account that pays",
        "AM05" => "it was sent before",
        "AM06" => "the amount is too small",
        "AM07" => "the amount is blocked",
        "AM09" => "the amount is wrong",
        "AM10" => "the sum of the file does not fit",
        "BE01" => "name and account do not fit together",
        "BE04" => "the payee's address is missing",
        "BE05" => "the bank does not know who sends",
        "BE06" => "the bank does not know the payee",
        "BE07" => "the payer's address is missing",
        "CNOR" => "the payee's bank does not take part in this",
        "CUST" => "whoever paid asked for it",
        "DNOR" => "the payer's bank does not take part in this",
        "DS02" => "a person took the order back",
        "DT01" => "the date is not possible",
        "DUPL" => "it was sent before",
        "ED05" => "it could not be settled",
        "FF01" => "the file has the wrong form",
        "FOCR" => "sent back because it was asked for",
        "FR01" => "sent back as fraud",
        "FRAD" => "sent back as fraud",
        "MD07" => "the holder died",
        "MS02" => "the payee gave no reason",
        "MS03" => "the bank gave no reason",
        "NARR" => "for a reason in words",
        "NOAS" => "the payee did not answer",
        "RC01" => "the bank's identifier is wrong",
        "RC04" => "the payee's bank is wrong",
        "RR01" => "the payer's account is missing, which the law asks for",
        "RR02" => "the payer's name or address is missing, which the law asks for",
        "RR03" => "the payee's name or address is missing, which the law asks for",
        "RR04" => "for a reason of the law",
        "SL01" => "by an agreement of the bank with its customer",
        "TECH" => "for a technical reason",
        "TM01" => "it came after the hour for that day",
        "UPAY" => "it was not due",
        _ => return None,
    })
}
