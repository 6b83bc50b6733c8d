//! my_payment: a payment provider in Rust. As it stands it is a bank in memory, so that it passes the checker and
//! serves orders before the real provider is there; what talks to yours takes the place of `Bank`.
//!
//! Calls come from several threads at once: one mutex guards the books. No panic leaves a C function.

mod abi;

use abi::*;
use std::collections::HashMap;
use std::ffi::CStr;
use std::mem::size_of;
use std::os::raw::{c_char, c_void};
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::sync::Mutex;

/// What a key was answered with: the same key gets it again, and has no second effect.
#[derive(Clone)]
struct Call {
    kind: i32,
    code: &'static str,
    subject: String,
    amount: i64,
}

#[derive(Default)]
struct Bank {
    payments: HashMap<String, Totals>, // by subject
    calls: HashMap<String, Call>,      // by key
}

impl Bank {
    fn take(&mut self, action: &str, command: &Command) -> Call {
        let key = command.key.text();
        if let Some(known) = self.calls.get(&key) {
            return known.clone();
        }
        let subject = command.subject.text();
        let amount = command.amount.amount;
        let totals = self.payments.entry(subject.clone()).or_default();
        let (kind, code) = decide(action, amount, &command.secret_json.text(), totals);
        let call = Call { kind, code, subject, amount };
        self.calls.insert(key, call.clone());
        call
    }

    fn query(&mut self, key: &str) -> Option<Call> {
        let call = self.calls.get_mut(key)?;
        if call.kind == PENDING {
            // The buyer said yes to 3-D Secure.
            call.kind = DONE;
            self.payments.entry(call.subject.clone()).or_default().authorized = call.amount;
        }
        Some(call.clone())
    }
}

fn decide(action: &str, amount: i64, secret: &str, t: &mut Totals) -> (i32, &'static str) {
    if action == "payment.void" {
        t.voided = t.authorized - t.captured;
        return (DONE, "");
    }
    if amount <= 0 {
        return (DECLINED, "INVALID_AMOUNT");
    }
    match action {
        "payment.authorize" if secret.contains("\"tok_3ds\"") => return (PENDING, ""),
        "payment.authorize" if !secret.contains("\"tok_ok\"") => return (DECLINED, "PAYMENT_DECLINED"),
        "payment.authorize" if t.authorized > 0 => return (DECLINED, "ALREADY_AUTHORIZED"),
        "payment.authorize" => t.authorized = amount,
        "payment.capture" if amount > t.authorized - t.captured - t.voided => {
            return (DECLINED, "MORE_THAN_AUTHORIZED")
        }
        "payment.capture" => t.captured += amount,
        _ if amount > t.captured - t.refunded => return (DECLINED, "MORE_THAN_CAPTURED"),
        _ => t.refunded += amount,
    }
    (DONE, "")
}

/// One instance. `base` is first, so that a pointer to it is a pointer to this.
#[repr(C)]
struct Instance {
    base: Plugin,
    host: *const Host,
    completion: *const Completion,
    bank: Mutex<Bank>,
}

fn instance<'a>(plugin: *mut Plugin) -> &'a Instance {
    unsafe { &*((*plugin).plugin_data as *const Instance) }
}

fn supported(action: &str) -> bool {
    ["payment.authorize", "payment.capture", "payment.void", "payment.refund", "payment.query"].contains(&action)
}

fn tell(me: &Instance, command: &Command, call: &Call, query_answer: i32, totals: Totals) {
    let pending = call.kind == PENDING;
    let outcome = Outcome {
        struct_size: size_of::<Outcome>() as u32,
        kind: call.kind,
        query_answer,
        flags: OUTCOME_HAS_TOTALS,
        code: View::of(call.code),
        message: View::of(""),
        retry_after_ms: 0,
        expires_ms: if pending { command.deadline_ms + 15 * 60 * 1000 } else { 0 },
        next_action_type: View::of(if pending { "redirect" } else { "" }),
        next_action_url: View::of(if pending { "https://bank.example/3ds" } else { "" }),
        totals,
        provider_reference: View::of(&call.subject),
        state_version: 0,
        reserved: 0,
        state: View::of(""),
        details_json: View::of(""),
    };
    unsafe { ((*me.completion).complete)(me.host, command.ticket, &outcome) };
}

fn execute_one(me: &Instance, command: &Command) {
    let mut bank = me.bank.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    let action = command.action.text();
    let (call, answer) = if action == "payment.query" {
        match bank.query(&command.query_key.text()) {
            Some(call) => (call, FOUND),
            None => {
                let never = Call { kind: DONE, code: "", subject: command.subject.text(), amount: 0 };
                (never, NOT_FOUND_FINAL)
            }
        }
    } else {
        (bank.take(&action, command), 0)
    };
    let totals = bank.payments.get(&call.subject).copied().unwrap_or_default();
    tell(me, command, &call, answer, totals);
}

extern "C" fn execute(plugin: *mut Plugin, commands: *const *const Command, count: u64, _: *mut Error) -> i32 {
    catch_unwind(AssertUnwindSafe(|| {
        let commands: Vec<&Command> = (0..count as usize).map(|i| unsafe { &**commands.add(i) }).collect();
        if commands.iter().any(|command| !supported(&command.action.text())) {
            return E_UNSUPPORTED;
        }
        commands.iter().for_each(|command| execute_one(instance(plugin), command));
        OK
    }))
    .unwrap_or(E_INTERNAL)
}

extern "C" fn supports(_: *mut Plugin, action: View) -> i32 {
    catch_unwind(|| supported(&action.text()) as i32).unwrap_or(0)
}

extern "C" fn describe(_: *mut Plugin, traits: *mut Traits) {
    unsafe { (*traits).flags = STEP_QUERY };
}

static STEP: Step = Step { describe, supports, execute, cancel: None, execute_tx: std::ptr::null() };

extern "C" fn get_extension(_: *mut Plugin, id: *const c_char) -> *const c_void {
    match unsafe { CStr::from_ptr(id) }.to_bytes() {
        b"orderd.step/1" => &STEP as *const Step as *const c_void,
        _ => std::ptr::null(),
    }
}

extern "C" fn init(plugin: *mut Plugin, _: *mut Error) -> i32 {
    let me = unsafe { &mut *((*plugin).plugin_data as *mut Instance) };
    let id = b"orderd.completion/1\0".as_ptr() as *const c_char;
    me.completion = unsafe { ((*me.host).get_extension)(me.host, id) } as *const Completion;
    if me.completion.is_null() {
        E_UNSUPPORTED
    } else {
        OK
    }
}

extern "C" fn start(_: *mut Plugin, _: *mut Error) -> i32 {
    OK
}

extern "C" fn stop(_: *mut Plugin) {}

extern "C" fn destroy(plugin: *mut Plugin) {
    let _ = catch_unwind(|| unsafe { drop(Box::from_raw((*plugin).plugin_data as *mut Instance)) });
}

extern "C" fn create(host: *const Host) -> *mut Plugin {
    let base = Plugin {
        struct_size: size_of::<Plugin>() as u32,
        reserved: 0,
        plugin_data: std::ptr::null_mut(),
        init,
        start,
        stop,
        destroy,
        get_extension,
    };
    let bank = Mutex::new(Bank::default());
    let me = Box::into_raw(Box::new(Instance { base, host, completion: std::ptr::null(), bank }));
    unsafe {
        (*me).base.plugin_data = me as *mut c_void;
        &mut (*me).base
    }
}

static DESCRIPTOR: Descriptor = Descriptor {
    struct_size: size_of::<Descriptor>() as u32,
    abi_major: 1,
    abi_minor: 0,
    reserved: 0,
    name: b"my_payment\0".as_ptr() as *const c_char,
    version: b"0.1.0\0".as_ptr() as *const c_char,
    vendor: b"You\0".as_ptr() as *const c_char,
    create,
    settings_schema: b"{\"type\":\"object\",\"additionalProperties\":false,\"properties\":{}}\0".as_ptr() as *const c_char,
};

/// The only symbol that the host looks for.
#[no_mangle]
pub extern "C" fn orderd_plugin_entry_v1() -> *const Descriptor {
    &DESCRIPTOR
}
