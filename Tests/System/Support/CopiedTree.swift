/// A small tree with a hardlink, and a directory for a copy.
struct CopiedTree {
    let scratch: Scratch
    var source: Path { scratch.path / "source" }
    var copy: Path { scratch.path / "copy" }

    init() throws {
        scratch = try Scratch()
        for path in [source, copy, source / "sub"] { try Disk.makeDirectory(path) }
        try Disk.write(source / "file", Array("content".utf8))
        try Disk.link(source / "file", source / "sub/hard")
        try Disk.symlink("file", at: source / "sub/soft")
    }

    /// A file of 20 MiB that does not compress.
    func addLargeFile() throws {
        try require(["dd", "if=/dev/urandom", "of=\(source / "large")", "bs=1M", "count=20", "status=none"])
    }
}
