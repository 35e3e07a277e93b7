# The full path, resolved against PowerShell's location and drives, which the library does not know.
function Resolve-AuditPath {
    param($Runtime, [string] $Path)

    $file = [UMMailboxPin.FilePath]::Resolve($Runtime, $Path)
    if ($file.Problem) {
        $Runtime.Terminate($Runtime.NewError('AuditFileUnusable', $file.Problem, 'Pass the path of a file.', $Path))
    }
    $file.FullName
}
