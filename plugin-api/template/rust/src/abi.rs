//! orderd's C headers in Rust: abi.h, host.h, plugin.h, command.h, outcome.h, step.h, settings.h, as far as a payment
//! provider needs them. The headers say what each means; fields are in their order and must stay so.
#![allow(dead_code)]

use std::os::raw::{c_char, c_void};

pub const OK: i32 = 0;
pub const E_INVALID: i32 = -1;
pub const E_UNSUPPORTED: i32 = -2;
pub const E_INTERNAL: i32 = -7;
pub const DONE: i32 = 1;
pub const DECLINED: i32 = 2;
pub const RETRY: i32 = 3;
pub const PENDING: i32 = 4;
pub const UNKNOWN: i32 = 5;
pub const FOUND: i32 = 1;
pub const NOT_FOUND_FINAL: i32 = 2;
pub const OUTCOME_HAS_TOTALS: u32 = 2;
pub const STEP_QUERY: u32 = 2;

#[repr(C)]
#[derive(Clone, Copy)]
pub struct View {
    pub data: *const c_char,
    pub size: u64,
}

impl View {
    /// Lives as long as what it was borrowed from: for the call.
    pub fn of(text: &str) -> View {
        if text.is_empty() {
            return View { data: std::ptr::null(), size: 0 };
        }
        View { data: text.as_ptr() as *const c_char, size: text.len() as u64 }
    }
    /// A copy; what is not UTF-8 becomes U+FFFD.
    pub fn text(&self) -> String {
        if self.data.is_null() {
            return String::new();
        }
        let bytes = unsafe { std::slice::from_raw_parts(self.data as *const u8, self.size as usize) };
        String::from_utf8_lossy(bytes).into_owned()
    }
}

#[repr(C)]
pub struct Error {
    pub struct_size: u32,
    pub code: [c_char; 28],
    pub message: [c_char; 480],
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct Money {
    pub amount: i64,
    pub currency: [c_char; 4],
    pub exponent: u32,
}

#[repr(C)]
#[derive(Clone, Copy, Default)]
pub struct Totals {
    pub authorized: i64,
    pub captured: i64,
    pub refunded: i64,
    pub voided: i64,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct Ticket {
    pub slot: u64,
    pub generation: u64,
}

#[repr(C)]
pub struct Command {
    pub struct_size: u32,
    pub attempt: u32,
    pub ticket: Ticket,
    pub order_id: [u8; 16],
    pub action: View,
    pub key: View,
    pub subject: View,
    pub query_key: View,
    pub query_action: View,
    pub generation: u32,
    pub state_version: u32,
    pub state: View,
    pub deadline_ms: i64,
    pub amount: Money,
    pub totals: Totals,
    pub lines: *const *const c_void,
    pub line_count: u64,
    pub customer_id: View,
    pub method: View,
    pub provider_reference: View,
    pub secret_json: View,
    pub details_json: View,
    pub traceparent: View,
}

#[repr(C)]
pub struct Outcome {
    pub struct_size: u32,
    pub kind: i32,
    pub query_answer: i32,
    pub flags: u32,
    pub code: View,
    pub message: View,
    pub retry_after_ms: i64,
    pub expires_ms: i64,
    pub next_action_type: View,
    pub next_action_url: View,
    pub totals: Totals,
    pub provider_reference: View,
    pub state_version: u32,
    pub reserved: u32,
    pub state: View,
    pub details_json: View,
}

#[repr(C)]
pub struct Host {
    pub struct_size: u32,
    pub abi_major: u32,
    pub abi_minor: u32,
    pub reserved: u32,
    pub version: *const c_char,
    pub instance: *const c_char,
    pub host_data: *mut c_void,
    pub get_extension: extern "C" fn(*const Host, *const c_char) -> *const c_void,
}

#[repr(C)]
pub struct Completion {
    pub complete: extern "C" fn(*const Host, Ticket, *const Outcome) -> i32,
}

#[repr(C)]
pub struct Traits {
    pub struct_size: u32,
    pub flags: u32,
    pub idempotency_window_ms: i64,
    pub state_version_min: u32,
    pub state_version_max: u32,
}

#[repr(C)]
pub struct Step {
    pub describe: extern "C" fn(*mut Plugin, *mut Traits),
    pub supports: extern "C" fn(*mut Plugin, View) -> i32,
    pub execute: extern "C" fn(*mut Plugin, *const *const Command, u64, *mut Error) -> i32,
    pub cancel: Option<extern "C" fn(*mut Plugin, Ticket)>,
    pub execute_tx: *const c_void,
}
unsafe impl Sync for Step {}

#[repr(C)]
pub struct Plugin {
    pub struct_size: u32,
    pub reserved: u32,
    pub plugin_data: *mut c_void,
    pub init: extern "C" fn(*mut Plugin, *mut Error) -> i32,
    pub start: extern "C" fn(*mut Plugin, *mut Error) -> i32,
    pub stop: extern "C" fn(*mut Plugin),
    pub destroy: extern "C" fn(*mut Plugin),
    pub get_extension: extern "C" fn(*mut Plugin, *const c_char) -> *const c_void,
}

#[repr(C)]
pub struct Descriptor {
    pub struct_size: u32,
    pub abi_major: u32,
    pub abi_minor: u32,
    pub reserved: u32,
    pub name: *const c_char,
    pub version: *const c_char,
    pub vendor: *const c_char,
    pub create: extern "C" fn(*const Host) -> *mut Plugin,
    pub settings_schema: *const c_char,
}
unsafe impl Sync for Descriptor {}
