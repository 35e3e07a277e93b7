@{
    Severity     = @('Error', 'Warning')
    ExcludeRules = @(
        # The names are those of the original: its noun is an acronym.
        'PSUseSingularNouns'
        # A PIN is text in the original's signature, and the text ends as bytes that are cleared.
        'PSAvoidUsingPlainTextForPassword'
        # Private functions: the public one has ShouldProcess and decides.
        'PSUseShouldProcessForStateChangingFunctions'
        # ShouldProcess is called by a function that fails closed.
        'PSShouldProcess'
        # Parameters kept for compatibility, and variables that functions in other files of the merged module read.
        'PSReviewUnusedParameter'
        'PSUseDeclaredVarsMoreThanAssignments'
    )
    Rules        = @{
        PSUseCompatibleSyntax      = @{ Enable = $true; TargetVersions = @('5.1', '7.0') }
        PSPlaceOpenBrace           = @{ Enable = $true; OnSameLine = $true; NewLineAfter = $true; IgnoreOneLineBlock = $true }
        PSPlaceCloseBrace          = @{ Enable = $true; NewLineAfter = $true; IgnoreOneLineBlock = $true }
        PSUseConsistentIndentation = @{ Enable = $true; Kind = 'space'; IndentationSize = 4; PipelineIndentation = 'IncreaseIndentationForFirstPipeline' }
        PSUseConsistentWhitespace  = @{ Enable = $true }
    }
}
