/// A fast hash of names for the tables of this module. Not for hostile input of unbounded size: names have at most
/// 255 bytes, and a seed drawn at start keeps collisions from being prepared.
enum NameHash {
    private static let seed = UInt64.random(in: .min ... .max)

    @inline(__always)
    static func mix(_ value: UInt64) -> UInt64 {
        let product = (value ^ seed).multipliedFullWidth(by: 0x9E37_79B9_7F4A_7C15)
        return product.high ^ product.low
    }

    static func hash(_ bytes: UnsafeRawBufferPointer, in node: Int32) -> UInt64 {
        var state = mix(UInt64(UInt32(bitPattern: node)) << 32 | UInt64(bytes.count))
        var offset = 0
        while offset + 8 <= bytes.count {
            state = mix(state ^ bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
            offset += 8
        }
        var tail: UInt64 = 0
        while offset < bytes.count {
            tail = tail << 8 | UInt64(bytes[offset])
            offset += 1
        }
        return mix(state ^ tail)
    }
}
