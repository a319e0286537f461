import Testing

@testable import Offsite

@Suite struct OrphanListTests {
    private func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

    @Test func `what is in an orphan counts with it`() {
        var list = OrphanList()
        for path in ["a/x", "b", "a/x/one", "a/xy", "a/x/d/two", "b/c"] { list.add(bytes(path)) }
        #expect(list.count == 6)
        #expect(list.tops == [bytes("a/x"): 3, bytes("b"): 2, bytes("a/xy"): 1])
        list.remove(bytes("a/x"))
        list.remove(bytes("nothing"))
        #expect(list.count == 3 && list.tops.count == 2)
    }

    @Test func `the outermost orphan of a path is found`() {
        var list = OrphanList()
        list.add(bytes("a/x"))
        #expect(list.top(of: bytes("a/x")) == bytes("a/x") && list.top(of: bytes("a/x/y/z")) == bytes("a/x"))
        #expect(list.top(of: bytes("a")) == nil && list.top(of: bytes("a/xy")) == nil)
    }
}
