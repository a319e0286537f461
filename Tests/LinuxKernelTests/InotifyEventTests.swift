import Testing

@testable import LinuxKernel

@Suite("Records of an inotify read")
struct InotifyEventTests {
    /// A record as the kernel lays it out; `length` may lie.
    private func record(_ name: [UInt8], length: UInt32? = nil) -> [UInt8] {
        func bytes(_ value: UInt32) -> [UInt8] { withUnsafeBytes(of: value) { Array($0) } }
        return bytes(7) + bytes(InotifyMask.create.rawValue) + bytes(42) + bytes(length ?? UInt32(name.count)) + name
    }

    private func read(_ bytes: [UInt8], at offset: Int = 0) -> (event: InotifyEvent, next: Int)? {
        bytes.withUnsafeBytes { InotifyEvent.read($0, at: offset) }
    }

    @Test("lose the padding of their names")
    func padding() throws {
        let bytes = record(Array("abc".utf8) + [UInt8](repeating: 0, count: 13)) + record([])
        let first = try #require(read(bytes))
        #expect(first.event.watch.rawValue == 7)
        #expect(first.event.mask == .create)
        #expect(first.event.cookie == 42)
        #expect(bytes[first.event.name].elementsEqual("abc".utf8))
        #expect(first.next == 32)
        let second = try #require(read(bytes, at: first.next))
        #expect(second.event.name.isEmpty)
        #expect(second.next == bytes.count)
        #expect(read(bytes, at: second.next) == nil)
    }

    @Test("that are cut off, or longer than the buffer, are none")
    func bounds() {
        let whole = record(Array("abcdefgh".utf8))
        for count in 0..<whole.count { #expect(read(Array(whole[..<count])) == nil) }
        #expect(read(record([], length: .max)) == nil)
        #expect(read(whole, at: -1) == nil)
        #expect(read(whole, at: .max) == nil)
    }
}
