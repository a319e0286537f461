import Testing

@testable import Offsite

@Suite struct ListedArgumentsTests {
    private let command = ["rsync", "-aH", "--from0", "--files-from=-", "--stats", "--", "/srv/nfs/", "nas:/copy/"]
        .map { Array($0.utf8) }

    @Test func `names take the place of the list and of the source`() throws {
        let made = try #require(ListedArguments.command(command, list: Array("./a b\0./-e\0".utf8), limit: 10_000))
        #expect(
            made.map { String(decoding: $0, as: UTF8.self) } == [
                "rsync", "-aH", "--stats", "--relative", "--no-recursive", "--dirs", "--", "./a b", "./-e",
                "nas:/copy/",
            ])
    }

    @Test func `too many names stay a list`() {
        let list = Array(String(repeating: "./name\0", count: 100).utf8)
        // Each argument takes a NUL and a pointer, too.
        let size = 100 * (6 + 9)
        #expect(ListedArguments.command(command, list: list, limit: size) == nil)
        #expect(ListedArguments.command(command, list: list, limit: size + 300) != nil)
    }

    @Test func `a command without a list stays as it is`() {
        let other = ["rsync", "-a", "--", "/srv/nfs/", "nas:/copy/"].map { Array($0.utf8) }
        #expect(ListedArguments.command(other, list: Array("./a\0".utf8), limit: 10_000) == nil)
    }
}
