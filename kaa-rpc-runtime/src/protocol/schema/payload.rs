//! The payloads of Schema frames.
//!
//! Invariants: all numbers are little-endian. Memory is reserved only for entries that the payload has bytes
//! for.

use bytes::{Buf, BufMut};

use crate::descriptor::{ElementEntry, ServiceDescriptor, TypeForm};

/// A payload that cannot be decoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a malformed schema table")]
pub struct MalformedSchema;

/// The table of one service, as received from the peer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    /// The name of the service.
    pub service: String,
    /// The methods.
    pub methods: Vec<MethodTable>,
    /// The types that the methods use, directly or indirectly.
    pub types: Vec<TypeTable>,
}

/// A method of the peer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MethodTable {
    /// The method id.
    pub id: u32,
    /// The name.
    pub name: String,
    /// A hash of everything except the parameters and the error type.
    pub signature: u64,
    /// A hash of the error type; 0 if the method declares none.
    pub throws: u64,
    /// The parameters.
    pub parameters: Vec<Element>,
}

/// A type of the peer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TypeTable {
    /// The name.
    pub name: String,
    /// The form, which determines how the type is compared.
    pub form: TypeForm,
    /// The fields, variants or flags.
    pub elements: Vec<Element>,
}

/// A field, parameter, variant or flag of the peer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Element {
    /// The name.
    pub name: String,
    /// The position, tag or value.
    pub tag: u64,
    /// The hash.
    pub hash: u64,
    /// Whether a side that lacks the element can use a default.
    pub has_default: bool,
}

/// Encodes the names and fingerprints of services.
pub(super) fn encode_summary(services: &[&'static ServiceDescriptor]) -> Vec<u8> {
    let mut bytes = Vec::new();
    put_count(&mut bytes, services.len());
    for service in services {
        put_text(&mut bytes, service.name);
        bytes.extend_from_slice(&service.fingerprint);
    }
    bytes
}

pub(super) fn decode_summary(mut bytes: &[u8]) -> Result<Vec<(String, [u8; 32])>, MalformedSchema> {
    let services = take_many(&mut bytes, 34, |bytes| {
        let name = take_text(bytes)?;
        let (fingerprint, rest) = bytes.split_first_chunk::<32>().ok_or(MalformedSchema)?;
        *bytes = rest;
        Ok((name, *fingerprint))
    })?;
    ended(bytes).map(|()| services)
}

pub(super) fn encode_table(service: &ServiceDescriptor) -> Vec<u8> {
    let mut bytes = Vec::new();
    put_text(&mut bytes, service.name);
    put_count(&mut bytes, service.table.methods.len());
    for method in service.table.methods {
        bytes.put_u32_le(method.id);
        put_text(&mut bytes, method.name);
        bytes.put_u64_le(method.signature);
        bytes.put_u64_le(method.throws);
        put_elements(&mut bytes, method.parameters);
    }
    put_count(&mut bytes, service.table.types.len());
    for entry in service.table.types {
        put_text(&mut bytes, entry.name);
        bytes.put_u8(match entry.form {
            TypeForm::Struct => 0,
            TypeForm::SealedStruct => 1,
            TypeForm::Enum => 2,
            TypeForm::SealedEnum => 3,
            TypeForm::Flags => 4,
        });
        put_elements(&mut bytes, entry.elements);
    }
    bytes
}

pub(super) fn decode_table(mut bytes: &[u8]) -> Result<Table, MalformedSchema> {
    let service = take_text(&mut bytes)?;
    let methods = take_many(&mut bytes, 26, |bytes| {
        Ok(MethodTable {
            id: bytes.try_get_u32_le().map_err(|_| MalformedSchema)?,
            name: take_text(bytes)?,
            signature: bytes.try_get_u64_le().map_err(|_| MalformedSchema)?,
            throws: bytes.try_get_u64_le().map_err(|_| MalformedSchema)?,
            parameters: take_elements(bytes)?,
        })
    })?;
    let types = take_many(&mut bytes, 7, |bytes| {
        let name = take_text(bytes)?;
        let form = match bytes.try_get_u8().map_err(|_| MalformedSchema)? {
            0 => TypeForm::Struct,
            1 => TypeForm::SealedStruct,
            2 => TypeForm::Enum,
            3 => TypeForm::SealedEnum,
            4 => TypeForm::Flags,
            _ => return Err(MalformedSchema),
        };
        Ok(TypeTable { name, form, elements: take_elements(bytes)? })
    })?;
    ended(bytes)?;
    Ok(Table { service, methods, types })
}

fn put_elements(bytes: &mut Vec<u8>, elements: &[ElementEntry]) {
    put_count(bytes, elements.len());
    for element in elements {
        put_text(bytes, element.name);
        bytes.put_u64_le(element.tag);
        bytes.put_u64_le(element.hash);
        bytes.put_u8(u8::from(element.has_default));
    }
}

fn take_elements(bytes: &mut &[u8]) -> Result<Vec<Element>, MalformedSchema> {
    take_many(bytes, 19, |bytes| {
        Ok(Element {
            name: take_text(bytes)?,
            tag: bytes.try_get_u64_le().map_err(|_| MalformedSchema)?,
            hash: bytes.try_get_u64_le().map_err(|_| MalformedSchema)?,
            has_default: match bytes.try_get_u8().map_err(|_| MalformedSchema)? {
                0 => false,
                1 => true,
                _ => return Err(MalformedSchema),
            },
        })
    })
}

fn put_count(bytes: &mut Vec<u8>, count: usize) {
    bytes.put_u32_le(u32::try_from(count).unwrap_or(u32::MAX));
}

/// Names are identifiers and dotted paths, far shorter than the limit of a u16.
fn put_text(bytes: &mut Vec<u8>, text: &str) {
    let length = u16::try_from(text.len()).unwrap_or(u16::MAX);
    bytes.put_u16_le(length);
    bytes.extend(text.bytes().take(usize::from(length)));
}

fn take_text(bytes: &mut &[u8]) -> Result<String, MalformedSchema> {
    let length = usize::from(bytes.try_get_u16_le().map_err(|_| MalformedSchema)?);
    let (text, rest) = bytes.split_at_checked(length).ok_or(MalformedSchema)?;
    *bytes = rest;
    String::from_utf8(text.to_vec()).map_err(|_| MalformedSchema)
}

/// Decodes a counted list whose entries have at least `min_size` bytes.
fn take_many<T>(
    bytes: &mut &[u8],
    min_size: usize,
    mut take: impl FnMut(&mut &[u8]) -> Result<T, MalformedSchema>,
) -> Result<Vec<T>, MalformedSchema> {
    let count = bytes.try_get_u32_le().map_err(|_| MalformedSchema)?;
    let count = usize::try_from(count).map_err(|_| MalformedSchema)?;
    if count > bytes.len() / min_size {
        return Err(MalformedSchema);
    }
    (0..count).map(|_| take(bytes)).collect()
}

fn ended(bytes: &[u8]) -> Result<(), MalformedSchema> {
    if bytes.is_empty() { Ok(()) } else { Err(MalformedSchema) }
}
